"""Rates that fall by a formula of the step."""

from dataclasses import dataclass

import numpy as np
from numpy import float32

from studio.declare import param
from studio.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Multiplied by a factor every so many steps, in between in proportion."""

    initial_learning_rate: float = param(0.001, "The rate of the first step", min=0)
    decay_steps: float = param(1000, "After how many steps the factor is applied once", min=1)
    decay_rate: float = param(0.9, "The factor", min=0)
    staircase: bool = param(False, "Change the rate after full decay steps only")

    def rate(self, step: float32) -> float32:
        times = _times(step, self.decay_steps, self.staircase)
        return float32(self.initial_learning_rate) * float32(self.decay_rate) ** times


@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """Divided by a number that grows with the steps."""

    initial_learning_rate: float = param(0.001, "The rate of the first step", min=0)
    decay_steps: float = param(1000, "In how many steps the divisor grows by the decay", min=1)
    decay_rate: float = param(0.5, "How much the divisor, 1 at first, grows", min=0)
    staircase: bool = param(False, "Change the rate after full decay steps only")

    def rate(self, step: float32) -> float32:
        times = _times(step, self.decay_steps, self.staircase)
        return float32(self.initial_learning_rate) / (1 + float32(self.decay_rate) * times)


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """From one rate to another along a straight line, or a power of it."""

    initial_learning_rate: float = param(0.001, "The rate of the first step", min=0)
    decay_steps: float = param(1000, "How many steps it takes", min=1)
    end_learning_rate: float = param(0.0001, "The rate at the end", min=0)
    power: float = param(1.0, "1 is a straight line", min=0)
    cycle: bool = param(False, "Start again after the end, each time over more steps")

    def rate(self, step: float32) -> float32:
        steps, end = float32(self.decay_steps), float32(self.end_learning_rate)
        if self.cycle:
            steps *= max(float32(1), np.ceil(step / steps))
        left = 1 - min(step, steps) / steps
        return (float32(self.initial_learning_rate) - end) * left ** float32(self.power) + end


def _times(step: float32, steps: float, whole: bool) -> float32:
    """How many times the decay was applied by this step."""
    times: float32 = step / float32(steps)
    return np.floor(times) if whole else times
