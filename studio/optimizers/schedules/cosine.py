"""Rates that fall along half a wave of the cosine (Loshchilov & Hutter, 2016)."""

from dataclasses import dataclass

import numpy as np
from numpy import float32

from studio.declare import param
from studio.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """Along half a wave down to a share of the rate, after a rise to a target if wanted."""

    order = (
        *("initial_learning_rate", "decay_steps", "alpha", "name"),
        *("warmup_target", "warmup_steps"),
    )
    initial_learning_rate: float = param(0.001, "The rate of the first step", min=0)
    decay_steps: float = param(1000, "How many steps the fall takes", min=1)
    alpha: float = param(0.0, "The share of the rate that remains at the end", min=0)
    warmup_target: float | None = param(None, "The rate to rise to first; empty: no rise", min=0)
    warmup_steps: int = param(0, "How many steps the rise takes", min=0)

    def rate(self, step: float32) -> float32:
        first, top, rise = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        if top is None:
            top, rise = first, 0
        if step < rise:
            return (float32(top) - float32(first)) * (step / float32(rise)) + float32(first)
        steps = float32(self.decay_steps)
        share = min(step - float32(rise), steps) / steps
        return float32(top) * _lowered(_half_wave(share), self.alpha)


@dataclass(frozen=True)
class CosineDecayRestarts(Schedule):
    """Along half a wave, then up again and down once more, mostly over more steps."""

    initial_learning_rate: float = param(0.001, "The rate of the first step", min=0)
    first_decay_steps: float = param(1000, "How many steps the first fall takes", min=1)
    t_mul: float = param(2.0, "How many times longer each fall is than the one before", min=1)
    m_mul: float = param(1.0, "Factor of the height of each fall after another", min=0)
    alpha: float = param(0.0, "The share of the rate that remains at the end of a fall", min=0)

    def rate(self, step: float32) -> float32:
        falls, longer = step / float32(self.first_decay_steps), float32(self.t_mul)
        if longer == 1:
            number = np.floor(falls)
            share = falls - number
        else:
            number = np.floor(np.log(1 - falls * (1 - longer)) / np.log(longer))
            before = (1 - longer**number) / (1 - longer)
            share = (falls - before) / longer**number
        wave = float32(self.m_mul) ** number * _half_wave(share)
        return float32(self.initial_learning_rate) * _lowered(wave, self.alpha)


def _half_wave(share: float32) -> float32:
    """1 at 0, 0 at 1."""
    wave: float32 = np.cos(float32(np.pi) * share)
    return float32(0.5) * (1 + wave)


def _lowered(wave: float32, least: float) -> float32:
    """From 1 … 0 to 1 … `least`."""
    return (1 - float32(least)) * wave + float32(least)
