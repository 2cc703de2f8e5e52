"""What is trained: models by the API that builds them, their data, and their first weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BATCH = 32


@dataclass(frozen=True)
class System:
    """One thing to train.

    Attributes:
        build: makes the model by an API with ``layers`` and ``Model`` (Keras's or ours).
        data: inputs and targets of so many rows.
        losses: Keras's names, one an output.
        weights: loss weights, one an output.
        steps: how many batches one epoch has.
        size: of what grows.
    """

    name: str
    build: Callable[[Any], Any]
    data: Callable[[np.random.Generator, int], tuple[list[Array], list[Array]]]
    losses: tuple[str, ...]
    weights: tuple[float, ...] = (1.0,)
    steps: int = 20
    batch: int = BATCH
    optimizer: str = "RMSprop"
    size: int = 0

    def arrays(self) -> tuple[list[Array], list[Array]]:
        """The data of one epoch, the same for every engine."""
        return self.data(np.random.default_rng(7), self.batch * self.steps)


def first_weights(shapes: list[tuple[int, ...]]) -> list[Array]:
    """Weights such as Keras starts with, for arrays in its order: the same for every engine.

    Glorot & Bengio's uniform kernels (2010), orthogonal recurrent ones, zero biases; an LSTM's
    bias (the one after a recurrent kernel) has ones for the forget gate.
    """
    rng, found = np.random.default_rng(11), list[Array]()
    for i, shape in enumerate(shapes):
        before = shapes[i - 1] if i else ()
        recurrent = len(shape) == 2 and shape[1] == 4 * shape[0] and before[1:] == shape[1:]
        if recurrent:
            q, _ = np.linalg.qr(rng.normal(size=(shape[1], shape[0])))
            found.append(q.T.astype(np.float32))
        elif len(shape) in (2, 4):
            limit = np.sqrt(6 / (sum(shape[-2:]) * np.prod(shape[:-2])))
            kernel = rng.random(shape, np.float32)
            kernel -= np.float32(0.5)
            kernel *= np.float32(2 * limit)
            found.append(kernel)
        else:
            bias = np.zeros(shape, np.float32)
            if len(before) == 2 and before[1] == 4 * before[0] == shape[0]:
                bias[before[0] : 2 * before[0]] = 1
            found.append(bias)
    return found


# -- the guide's ---------------------------------------------------------------------------------


def _digits(api: Any) -> Any:
    x = api.layers.Input(shape=(784,))
    h = api.layers.Dense(64, activation="relu")(x)
    h = api.layers.Dense(64, activation="relu")(h)
    return api.Model(x, api.layers.Dense(10, activation="softmax")(h))


def _reuse(api: Any) -> Any:
    x = api.layers.Input(shape=(784,))
    return api.Model(x, _digits(api)(x))


def _video(api: Any) -> Any:
    film = api.layers.Input(shape=(20, 784))
    read = api.layers.LSTM(32)(api.layers.TimeDistributed(_digits(api))(film))
    return api.Model(film, api.layers.Dense(4, activation="softmax")(read))


def _headline(api: Any) -> Any:
    text = api.layers.Input(shape=(100,), dtype="int32")
    read = api.layers.LSTM(32)(api.layers.Embedding(10000, 512)(text))
    aux = api.layers.Dense(1, activation="sigmoid")(read)
    numbers = api.layers.Input(shape=(5,))
    x = api.layers.concatenate([read, numbers])
    for _ in range(3):
        x = api.layers.Dense(64, activation="relu")(x)
    return api.Model([text, numbers], [api.layers.Dense(1, activation="sigmoid")(x), aux])


def _tweets(api: Any) -> Any:
    one, two = api.layers.Input(shape=(140, 256)), api.layers.Input(shape=(140, 256))
    shared = api.layers.LSTM(64)
    both = api.layers.concatenate([shared(one), shared(two)])
    return api.Model([one, two], api.layers.Dense(1, activation="sigmoid")(both))


def _images(api: Any) -> Any:
    x = api.layers.Input(shape=(28, 28, 1))
    h = api.layers.MaxPooling2D()(api.layers.Conv2D(32, 3, activation="relu")(x))
    h = api.layers.MaxPooling2D()(api.layers.Conv2D(64, 3, activation="relu")(h))
    return api.Model(x, api.layers.Dense(10, activation="softmax")(api.layers.Flatten()(h)))


def _photos(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
    (x,), y = _pictures(rng, rows)
    return [x.reshape(rows, 28, 28, 1)], y


def _pictures(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
    x = rng.random((rows, 784), np.float32)
    return [x], [np.eye(10, dtype=np.float32)[rng.integers(0, 10, rows)]]


def _films(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
    x = rng.random((rows, 20, 784), np.float32)
    return [x], [np.eye(4, dtype=np.float32)[rng.integers(0, 4, rows)]]


def _words(rng: np.random.Generator, shape: tuple[int, int], high: int, zipf: bool) -> Array:
    """Zipf's: half of a text are a handful of words; uniform: hardly a word comes twice."""
    words = rng.zipf(1.3, shape) % high if zipf else rng.integers(0, high, shape)
    return words.astype(np.int32)


def _texts(zipf: bool) -> Callable[[np.random.Generator, int], tuple[list[Array], list[Array]]]:
    def made(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
        words = _words(rng, (rows, 100), 10000, zipf)
        labels = [rng.integers(0, 2, (rows, 1)).astype(np.float32) for _ in range(2)]
        return [words, rng.normal(size=(rows, 5)).astype(np.float32)], labels

    return made


def _pairs(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
    one_hot = np.eye(256, dtype=np.float32)
    x = [one_hot[rng.integers(32, 127, (rows, 140))] for _ in range(2)]
    return x, [rng.integers(0, 2, (rows, 1)).astype(np.float32)]


_CLASSES, _YES = ("categorical_crossentropy",), ("binary_crossentropy",)
_TWO = {"losses": _YES * 2, "weights": (1.0, 0.2)}
GUIDE = (
    System("digits", _digits, _pictures, _CLASSES, steps=300),
    System("reuse", _reuse, _pictures, _CLASSES, steps=300),
    System("video", _video, _films, _CLASSES, steps=40),
    System("headline-zipf", _headline, _texts(True), **_TWO),
    System("headline-uniform", _headline, _texts(False), **_TWO),
    System("headline-adam", _headline, _texts(True), **_TWO, optimizer="Adam"),
    System("tweets", _tweets, _pairs, _YES, steps=10),
    System("images", _images, _photos, _CLASSES, steps=50),
)


# -- growing in one direction --------------------------------------------------------------------


def _reader(units: int, steps: int) -> Callable[[Any], Any]:
    def build(api: Any) -> Any:
        x = api.layers.Input(shape=(steps, 64))
        return api.Model(x, api.layers.Dense(1, activation="sigmoid")(api.layers.LSTM(units)(x)))

    return build


def _table(vocabulary: int) -> Callable[[Any], Any]:
    def build(api: Any) -> Any:
        x = api.layers.Input(shape=(50,), dtype="int32")
        read = api.layers.LSTM(32)(api.layers.Embedding(vocabulary, 64)(x))
        return api.Model(x, api.layers.Dense(1, activation="sigmoid")(read))

    return build


def _wide(width: int) -> Callable[[Any], Any]:
    def build(api: Any) -> Any:
        x = api.layers.Input(shape=(width,))
        h = api.layers.Dense(width, activation="relu")(x)
        return api.Model(x, api.layers.Dense(1, activation="sigmoid")(h))

    return build


def _floats(*shape: int) -> Callable[[np.random.Generator, int], tuple[list[Array], list[Array]]]:
    def made(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
        x = rng.normal(size=(rows, *shape)).astype(np.float32)
        return [x], [rng.integers(0, 2, (rows, 1)).astype(np.float32)]

    return made


def _tokens(
    high: int, zipf: bool
) -> Callable[[np.random.Generator, int], tuple[list[Array], list[Array]]]:
    def made(rng: np.random.Generator, rows: int) -> tuple[list[Array], list[Array]]:
        x = _words(rng, (rows, 50), high, zipf)
        return [x], [rng.integers(0, 2, (rows, 1)).astype(np.float32)]

    return made


def _grown(kind: str, size: int, build: Any, data: Any, **more: Any) -> System:
    return System(f"{kind}-{size}", build, data, _YES, **{"steps": 8, "size": size, **more})


def _vocabulary(size: int, optimizer: str, zipf: bool) -> System:
    name = f"vocabulary-{size}-{optimizer}-{'zipf' if zipf else 'uniform'}"
    data = _tokens(size, zipf)
    return System(name, _table(size), data, _YES, steps=40, optimizer=optimizer, size=size)


GROWTH = (
    *(_grown("batch", n, _reader(32, 50), _floats(50, 64), batch=n) for n in (8, 64, 256, 1024)),
    *(_grown("units", n, _reader(n, 50), _floats(50, 64)) for n in (32, 128, 512)),
    *(_grown("steps", n, _reader(32, n), _floats(n, 64)) for n in (20, 100, 500)),
    *(
        _vocabulary(size, optimizer, zipf)
        for optimizer in ("RMSprop", "SGD", "Adagrad")
        for zipf in (True, False)
        for size in (10_000, 1_000_000)
    ),
    *(_grown("width", n, _wide(n), _floats(n), steps=20) for n in (64, 512, 4096)),
)
SYSTEMS = {system.name: system for system in (*GUIDE, *GROWTH)}
INFERENCE = tuple(SYSTEMS[name] for name in ("digits", "video", "headline-uniform", "tweets"))
