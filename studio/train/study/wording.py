"""What a gradient check found, in words."""

from studio.text import text
from studio.train.study.gradient_check import Checked, GradientCheck
from studio.train.written import error


def verdict(found: GradientCheck) -> str:
    """The result in one sentence."""
    count = {"checked": found.checked, "parts": len(found.parts)}
    if found.ok and found.flat:
        return text("checks.flat", **count)
    if found.ok:
        return text("checks.right", relative=error(found.relative), **count)
    worst = max(found.parts, key=lambda part: part.compared.relative)
    return text("checks.wrong", wrong=found.wrong, name=place(worst), **count)


def details(found: GradientCheck) -> list[str]:
    """What was checked, with which numbers, and what was left aside."""
    lines = []
    if found.losses:
        lines.append(text("checks.of_losses", names=", ".join(found.losses)))
    else:
        lines.append(text("checks.of_node" if found.path else "checks.of_outputs"))
    if found.why is not None:
        lines.append(text("checks.made_up_since", samples=found.samples, why=str(found.why)))
    elif found.made_up:
        lines.append(text("checks.made_up", samples=found.samples))
    else:
        lines.append(text("checks.of_data", samples=found.samples))
    if found.kinks:
        lines.append(text("checks.kinks", kinks=found.kinks))
    return lines


def place(part: Checked) -> str:
    """The worst number of an array: ``lstm/kernel[3, 17]``."""
    return f"{part.name}{list(part.compared.at)}" if part.compared.at else part.name
