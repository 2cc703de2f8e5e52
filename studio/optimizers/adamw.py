"""AdamW."""

from dataclasses import dataclass

from studio.declare import param
from studio.optimizers.adam import Adam


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam that takes a share off every weight in each step (Loshchilov & Hutter, 2017)."""

    weight_decay: float = param(
        0.004, "Share of each weight taken off in a step, times the learning rate", min=0
    )
