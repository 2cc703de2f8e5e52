"""What was measured, compared and as text."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
OURS = "ours"
CLOSE = {  # relative: how far a number may be from ours
    "loss": 1e-4,  # of the first step, before anything is learnt
    "later": 1e-2,  # of an epoch: where an optimizer adds epsilon, and gradients, differ
    "output": 1e-4,
}


def compared(rows: list[Row], besides: Sequence[str] = ()) -> list[Row]:
    """Rows of one system with two more columns.

    Args:
        rows: one an engine; the first one's numbers are the reference.
        besides: engines that are not peers.

    Returns:
        The rows with ``agrees`` and ``ratio``: the fastest peer's time over this one's, None where
        there is no peer.
    """
    peers = [row["ms"] for row in rows if row["engine"] not in (OURS, *besides)]
    for row in rows:
        row["agrees"] = all(
            abs(row[name] - rows[0][name]) <= close * abs(rows[0][name])
            for name, close in CLOSE.items()
            if name in row
        )
        row["ratio"] = min(peers) / row["ms"] if peers else None
    return rows


def training(rows: Sequence[Row]) -> str:
    """One system's rows, and where our time goes."""
    head = ["system", "engine", "ms/step", "ratio", "peak MB", "files MB", "import", "1st step"]
    lines = [[*head, "loss", "later"]]
    for row in rows:
        memory = [f"{row[name]:.0f}" for name in ("peak_mb", "files_mb")]
        start = [f"{row[name]:.2f} s" for name in ("import", "first")]
        times = [f"{row['ms']:.3f}", _ratio(row)]
        losses = [f"{row['loss']:.4f}", _value(row, "later")]
        lines.append([row["system"], row["engine"], *times, *memory, *start, *losses])
    said = [parts(row["parts"]) for row in rows if "parts" in row]
    return "\n".join([_aligned(lines), *said, ""])


def parts(found: Row) -> str:
    """Where the time of a step goes."""
    whole = found["step_ms"]

    def share(ms: float) -> str:
        return f"{ms:.3f} ms ({ms / whole:.0%})"

    calls = ", ".join(f"{name} {share(ms)}" for name, ms in found["calls"])
    return (
        f"  of our {whole:.3f} ms matrix products alone take {share(found['products_ms'])}; "
        f"around the plan's {found['count']} calls {share(found['around_ms'])}\n"
        f"  by operator, products among it: {calls}"
    )


def inference(rows: Sequence[Row]) -> str:
    """One system's rows of inference."""
    lines = [["system", "engine", "samples", "ms", "ratio", "mean square"]]
    for row in rows:
        times = [str(row["samples"]), f"{row['ms']:.3f}", _ratio(row)]
        lines.append([row["system"], row["engine"], *times, _value(row, "output")])
    return _aligned(lines) + "\n"


def vocabularies(rows: Sequence[Row]) -> str:
    """What a step costs with the largest vocabulary, measured by one with the smallest."""
    ours = {r["system"]: r["ms"] for r in rows if r["engine"] == OURS}
    sizes: dict[str, dict[int, float]] = {}
    for name, ms in ours.items():
        kind, _, rest = name.partition("-")
        size, _, how = rest.partition("-")
        if kind == "vocabulary":
            sizes.setdefault(how, {})[int(size)] = ms
    lines = [["vocabulary", "of 1", "costs, of 1"]]
    for how, found in sizes.items():
        least, most = min(found), max(found)
        if most == least:
            continue
        lines.append([how, f"{most / least:.0f}", f"{found[most] / found[least]:.2f}"])
    return _aligned(lines) + "\n" if lines[1:] else ""


def _ratio(row: Row) -> str:
    return "" if row["ratio"] is None else f"{row['ratio']:.2f}"


def _value(row: Row, name: str) -> str:
    return f"{row[name]:.4f}" + ("" if row["agrees"] else " differs")


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
