"""What a training is followed by: the keys of its history, in the order they are read."""

from collections.abc import Iterable, Sequence

from studio.text import text

VALIDATION = "val_"


def quantities(history: Iterable[str]) -> list[str]:
    """History keys without their ``val_`` twins: the total loss, each output's, then metrics."""
    keys = {key.removeprefix(VALIDATION) for key in history}
    return sorted(keys, key=lambda k: (k != "loss", not is_loss(k), k))


def is_loss(key: str) -> bool:
    """Whether a history key names a loss: the total or one output's."""
    return key == "loss" or key.endswith("_loss")


def label(key: str) -> str:
    """What a reader calls a history key."""
    if key == "loss":
        return text("training.total_loss")
    if is_loss(key):
        return text("training.output_loss", name=key.removesuffix("_loss"))
    return key


def outputs(keys: Sequence[str]) -> list[str]:
    """The names of the outputs that have a loss of their own; none where there is one output."""
    return [k.removesuffix("_loss") for k in keys if k.endswith("_loss")]


def owner(key: str, keys: Sequence[str]) -> str:
    """The output a quantity belongs to; empty for the total, and where there is one output."""
    # The longest name, so that "main" does not claim what "main_output" reports.
    return max((o for o in outputs(keys) if key.startswith(f"{o}_")), key=len, default="")


def grouped(keys: Sequence[str]) -> list[str]:
    """The quantities in the order they are read: the total, then output by output."""
    owners = list(dict.fromkeys(owner(k, keys) for k in keys))
    owners.sort(key=bool)  # what belongs to none comes first
    return [k for output in owners for k in keys if owner(k, keys) == output]
