"""The systems in plain PyTorch, as an expert would write them, from weights in Keras's order."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.benchmarks.peers.engines import RATE
from tests.benchmarks.peers.systems import Array, System, first_weights

EPSILON = 1e-7
OPTIMIZERS: dict[str, Callable[[list[Any]], Any]] = {
    "RMSprop": lambda trained: torch.optim.RMSprop(trained, RATE, alpha=0.9, eps=EPSILON),
    "Adam": lambda trained: torch.optim.Adam(trained, RATE, eps=EPSILON),
    "SGD": lambda trained: torch.optim.SGD(trained, RATE),
    "Adagrad": lambda trained: torch.optim.Adagrad(
        trained, RATE, initial_accumulator_value=0.1, eps=EPSILON
    ),
}
SPARSE = ("SGD", "Adagrad")  # take the gradient of a table's rows alone


class _Dense(nn.Linear):
    def __init__(self, width: int, units: int) -> None:
        super().__init__(width, units)
        self.shapes = [(width, units), (units,)]

    def take(self, weights: list[Array]) -> None:
        self.weight.data = torch.from_numpy(weights.pop(0).T.copy())
        self.bias.data = torch.from_numpy(weights.pop(0))


class _Conv(nn.Conv2d):
    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(channels, filters, 3)
        self.shapes = [(3, 3, channels, filters), (filters,)]

    def take(self, weights: list[Array]) -> None:
        self.weight.data = torch.from_numpy(weights.pop(0).transpose(3, 2, 0, 1).copy())
        self.bias.data = torch.from_numpy(weights.pop(0))


class _LSTM(nn.LSTM):
    """The last output; of PyTorch's two biases only the first is trained, as Keras has one."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__(width, units, batch_first=True)
        self.shapes = [(width, 4 * units), (units, 4 * units), (4 * units,)]

    def take(self, weights: list[Array]) -> None:
        self.weight_ih_l0.data = torch.from_numpy(weights.pop(0).T.copy())
        self.weight_hh_l0.data = torch.from_numpy(weights.pop(0).T.copy())
        self.bias_ih_l0.data = torch.from_numpy(weights.pop(0))
        self.bias_hh_l0.data.zero_()
        self.bias_hh_l0.requires_grad_(False)

    def last(self, x: Any) -> Any:
        return self(x)[1][0][0]


class _Table(nn.Embedding):
    def __init__(self, rows: int, width: int, sparse: bool = False) -> None:
        super().__init__(rows, width, sparse=sparse)
        self.shapes = [(rows, width)]

    def take(self, weights: list[Array]) -> None:
        self.weight.data = torch.from_numpy(weights.pop(0))


class _Net(nn.Module):
    """Parts in Keras's order of weights, and the way through them; outputs before the sigmoid."""

    def __init__(self, parts: list[Any], way: Callable[..., list[Any]]) -> None:
        super().__init__()
        self.parts, self.way = nn.ModuleList(parts), way
        weights = first_weights([shape for part in parts for shape in part.shapes])
        for part in parts:
            part.take(weights)

    def forward(self, *x: Any) -> list[Any]:
        return self.way(list(self.parts), *x)


def _digits(p: list[Any], x: Any) -> list[Any]:
    return [p[2](torch.relu(p[1](torch.relu(p[0](x)))))]


def _video(p: list[Any], x: Any) -> list[Any]:
    seen = torch.softmax(_digits(p, x.flatten(0, 1))[0], -1)
    return [p[4](p[3].last(seen.unflatten(0, x.shape[:2])))]


def _headline(p: list[Any], text: Any, numbers: Any) -> list[Any]:
    table, lstm, *dense, main, aux = p
    read = lstm.last(table(text))
    x = torch.cat([read, numbers], -1)
    for layer in dense:
        x = torch.relu(layer(x))
    return [main(x), aux(read)]


def _tweets(p: list[Any], one: Any, two: Any) -> list[Any]:
    return [p[1](torch.cat([p[0].last(one), p[0].last(two)], -1))]


def _images(p: list[Any], x: Any) -> list[Any]:
    """Channels second, as PyTorch has them; last once more where Keras flattens them so."""
    x = torch.max_pool2d(torch.relu(p[0](x.movedim(-1, 1))), 2)
    x = torch.max_pool2d(torch.relu(p[1](x)), 2)
    return [p[2](x.movedim(1, -1).flatten(1))]


def _net(system: System) -> _Net:
    name, size = system.name, system.size
    kind = name.partition("-")[0]
    if name in ("digits", "reuse"):
        return _Net([_Dense(784, 64), _Dense(64, 64), _Dense(64, 10)], _digits)
    if name == "video":
        dense = [_Dense(784, 64), _Dense(64, 64), _Dense(64, 10)]
        return _Net([*dense, _LSTM(10, 32), _Dense(32, 4)], _video)
    if name == "images":
        return _Net([_Conv(1, 32), _Conv(32, 64), _Dense(1600, 10)], _images)
    if name == "tweets":
        return _Net([_LSTM(256, 64), _Dense(128, 1)], _tweets)
    if kind == "headline":
        dense = [_Dense(37, 64), _Dense(64, 64), _Dense(64, 64), _Dense(64, 1)]
        return _Net([_Table(10000, 512), _LSTM(512, 32), *dense, _Dense(32, 1)], _headline)
    if kind == "vocabulary":
        sparse = system.optimizer in SPARSE
        parts = [_Table(size, 64, sparse), _LSTM(64, 32), _Dense(32, 1)]
        return _Net(parts, lambda p, x: [p[2](p[1].last(p[0](x)))])
    if kind == "width":
        parts = [_Dense(size, size), _Dense(size, 1)]
        return _Net(parts, lambda p, x: [p[1](torch.relu(p[0](x)))])
    units = size if kind == "units" else 32
    return _Net([_LSTM(64, units), _Dense(units, 1)], lambda p, x: [p[1](p[0].last(x))])


class Torch:
    """A model trained by PyTorch's own optimizers."""

    def __init__(self, system: System, x: list[Array], y: list[Array]) -> None:
        self.net = _net(system)
        trained = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = OPTIMIZERS[system.optimizer](trained)
        self.system = system
        self.x, self.y = ([torch.from_numpy(a) for a in arrays] for arrays in (x, y))

    def _loss(self, outputs: list[Any], targets: list[Any]) -> Any:
        loss: Any = 0.0
        for name, weight, output, target in zip(
            self.system.losses, self.system.weights, outputs, targets, strict=True
        ):
            if name == "binary_crossentropy":
                found = nn.functional.binary_cross_entropy_with_logits(output, target)
            else:
                found = nn.functional.cross_entropy(output, target)
            loss = loss + weight * found
        return loss

    def step(self) -> float:
        return self._step(slice(0, self.system.batch))

    def epoch(self) -> float:
        size = self.system.batch
        losses = [self._step(slice(at, at + size)) for at in range(0, len(self.x[0]), size)]
        return sum(losses) / len(losses)

    def _step(self, rows: slice) -> float:
        self.optimizer.zero_grad()
        loss = self._loss(self.net(*(x[rows] for x in self.x)), [y[rows] for y in self.y])
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    @torch.no_grad()
    def predict(self, inputs: list[Array]) -> Any:
        outputs = self.net(*map(torch.from_numpy, inputs))
        return [_answer(name, y) for name, y in zip(self.system.losses, outputs, strict=True)]

    def mean_square(self, inputs: list[Array]) -> float:
        return float(sum((y**2).mean() for y in self.predict(inputs)))


def _answer(loss: str, output: Any) -> Array:
    binary = loss == "binary_crossentropy"
    found: Array = (torch.sigmoid(output) if binary else torch.softmax(output, -1)).numpy()
    return found
