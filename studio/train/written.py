"""Numbers that a training gives, as people read them."""

from math import isfinite, isnan


def brief(value: float) -> str:
    """Of whatever size: ``0.5123``, ``12,346``, ``1e-09``; what is not finite by its name."""
    if isfinite(value):
        return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"
    return "NaN" if isnan(value) else "∞" if value > 0 else "−∞"


def metric(value: float) -> str:
    """A loss or a metric: four digits that count; very small and large ones by their power."""
    if not isfinite(value):
        return str(value)
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.3e}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.1f}"


def error(value: float) -> str:
    """How far two numbers are apart: ``1.3e-11``; 0 as it is."""
    return f"{value:.1e}" if value else "0"
