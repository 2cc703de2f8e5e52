"""The guide's systems at small size, each a function of the API that builds it.

``keras`` (while recording) and ``STUDIO`` (in `tests.models_of_the_guide`) are both such an API:
something with ``layers`` and ``Model``. One text, two libraries: what is compared is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

STEPS, PIXELS = 5, 16


def digits(api: Any) -> Any:
    """A picture to one of three classes; three layers, as the guide's."""
    pixels = api.layers.Input(shape=(PIXELS,))
    x = api.layers.Dense(8, activation="relu")(pixels)
    x = api.layers.Dense(8, activation="relu")(x)
    return api.Model(pixels, api.layers.Dense(3, activation="softmax")(x))


def reuse(api: Any, frozen: bool = False, topped: bool = False) -> Any:
    """The digits model called on a new Input."""
    model = digits(api)
    model.trainable = not frozen
    picture = api.layers.Input(shape=(PIXELS,))
    found = model(picture)
    if topped:
        found = api.layers.Dense(3, activation="softmax")(found)
    return api.Model(picture, found)


def reuse_frozen_later(api: Any) -> Any:
    """Frozen after the outer model was made: it counts all the same."""
    model = digits(api)
    picture = api.layers.Input(shape=(PIXELS,))
    outer = api.Model(picture, api.layers.Dense(3, activation="softmax")(model(picture)))
    model.trainable = False
    return outer


def reuse_twice(api: Any) -> Any:
    """The digits model called on two Inputs: one set of weights, two ways into it."""
    model = digits(api)
    left = api.layers.Input(shape=(PIXELS,), name="left")
    right = api.layers.Input(shape=(PIXELS,), name="right")
    both = api.layers.concatenate([model(left), model(right)])
    return api.Model([left, right], api.layers.Dense(1, activation="sigmoid", name="same")(both))


def video_vectors(api: Any) -> Any:
    """The digits model on every frame."""
    frames = api.layers.Input(shape=(STEPS, PIXELS))
    return api.Model(frames, api.layers.TimeDistributed(digits(api))(frames))


def video(api: Any, masked: bool = False) -> Any:
    """The digits model on every frame, and an LSTM over what it says."""
    frames = api.layers.Input(shape=(STEPS, PIXELS))
    seen = api.layers.Masking()(frames) if masked else frames
    x = api.layers.LSTM(4)(api.layers.TimeDistributed(digits(api))(seen))
    return api.Model(frames, api.layers.Dense(3, activation="softmax")(x))


def tweets(api: Any, deep: bool = False) -> Any:
    """One LSTM for both tweets."""
    tweet_a = api.layers.Input(shape=(14, 6))
    tweet_b = api.layers.Input(shape=(14, 6))
    shared = api.layers.LSTM(4)
    x = api.layers.concatenate([shared(tweet_a), shared(tweet_b)], axis=-1)
    if deep:
        x = api.layers.Dense(6, activation="relu")(x)
    return api.Model([tweet_a, tweet_b], api.layers.Dense(1, activation="sigmoid")(x))


def headline_regularized(api: Any) -> Any:
    """The two-loss model with an L2 (0.01) on an LSTM's kernel and a hidden Dense's."""
    main_input = api.layers.Input(shape=(6,), dtype="int32", name="main_input")
    x = api.layers.Embedding(20, 4)(main_input)
    lstm_out = api.layers.LSTM(3, kernel_regularizer="l2")(x)
    aux_output = api.layers.Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    aux_input = api.layers.Input(shape=(5,), name="aux_input")
    x = api.layers.concatenate([lstm_out, aux_input])
    x = api.layers.Dense(4, activation="relu", kernel_regularizer="l2")(x)
    main_output = api.layers.Dense(1, activation="sigmoid", name="main_output")(x)
    return api.Model([main_input, aux_input], [main_output, aux_output])


def regularized_once(api: Any) -> Any:
    """One output: its regularized layer is called twice, and counts once."""
    left, right = api.layers.Input(shape=(4,)), api.layers.Input(shape=(4,))
    shared = api.layers.Dense(3, activation="tanh", kernel_regularizer="l2")
    x = api.layers.concatenate([shared(left), shared(right)])
    return api.Model([left, right], api.layers.Dense(1)(x))


def regularized_frozen(api: Any) -> Any:
    """A frozen layer's regularizer: is it still part of the loss?"""
    x = api.layers.Input(shape=(4,))
    frozen = api.layers.Dense(3, activation="tanh", kernel_regularizer="l2", trainable=False)
    return api.Model(x, api.layers.Dense(1)(frozen(x)))


# -- normalization -------------------------------------------------------------------------------


def batch_normalization(api: Any, frozen: bool = False) -> Any:
    """Between two Dense, frozen or not."""
    x = api.layers.Input(shape=(6,))
    hidden = api.layers.Dense(4, use_bias=False)(x)
    normal = api.layers.BatchNormalization(momentum=0.9, trainable=not frozen)
    return api.Model(x, api.layers.Dense(1)(normal(hidden)))


def batch_normalization_shared(api: Any) -> Any:
    """Called twice: its statistics move twice in a step."""
    left, right = api.layers.Input(shape=(4,)), api.layers.Input(shape=(4,))
    shared = api.layers.BatchNormalization(momentum=0.9)
    x = api.layers.concatenate([shared(left), shared(right)])
    return api.Model([left, right], api.layers.Dense(1)(x))


def batch_normalization_each_step(api: Any) -> Any:
    """Within TimeDistributed: the statistics of each step, one step after the other."""
    steps = api.layers.Input(shape=(4, 3))
    x = api.layers.TimeDistributed(api.layers.BatchNormalization(momentum=0.9))(steps)
    return api.Model(steps, api.layers.Dense(1)(api.layers.Flatten()(x)))


def batch_normalization_masked(api: Any) -> Any:
    """Under a mask: masked steps count neither for the mean nor for the variance."""
    steps = api.layers.Input(shape=(STEPS, 3))
    x = api.layers.BatchNormalization(momentum=0.9)(api.layers.Masking()(steps))
    return api.Model(steps, api.layers.Dense(1)(api.layers.LSTM(4)(x)))


def batch_normalization_nested(api: Any, frozen: bool = False) -> Any:
    """Within a model that is called twice, frozen or not."""
    inner_input = api.layers.Input(shape=(4,))
    hidden = api.layers.Dense(3, use_bias=False)(inner_input)
    inner = api.Model(inner_input, api.layers.BatchNormalization(momentum=0.9)(hidden))
    inner.trainable = not frozen
    left, right = api.layers.Input(shape=(4,)), api.layers.Input(shape=(4,))
    x = api.layers.concatenate([inner(left), inner(right)])
    return api.Model([left, right], api.layers.Dense(1)(x))


# -- models in models ----------------------------------------------------------------------------


def nested(api: Any) -> Any:
    """A model in a model in a model."""
    x = api.layers.Input(shape=(4,))
    inner = api.Model(x, api.layers.Dense(3, activation="tanh")(x), name="inner")
    x = api.layers.Input(shape=(4,))
    middle = api.Model(x, api.layers.Dense(3, activation="tanh")(inner(x)), name="middle")
    x = api.layers.Input(shape=(4,))
    hidden = api.layers.Dense(4, activation="tanh")(x)
    return api.Model(x, api.layers.Dense(1)(middle(hidden)), name="outer")


def nested_shared_layer(api: Any) -> Any:
    """A layer used by the outer model and by the one within."""
    shared = api.layers.Dense(4, activation="tanh", name="shared")
    x = api.layers.Input(shape=(4,))
    inner = api.Model(x, api.layers.Dense(3)(shared(x)), name="inner")
    x = api.layers.Input(shape=(4,))
    both = api.layers.concatenate([inner(x), shared(x)])
    return api.Model(x, api.layers.Dense(1)(both))


def two_by_two(api: Any) -> Any:
    """Two inputs, two outputs."""
    first = api.layers.Input(shape=(3,), name="first")
    second = api.layers.Input(shape=(2,), name="second")
    x = api.layers.Dense(4, activation="tanh")(api.layers.concatenate([first, second]))
    one = api.layers.Dense(1, activation="sigmoid", name="one")(x)
    two = api.layers.Dense(2, name="two")(x)
    return api.Model([first, second], [one, two], name="pair")


def nested_two_by_two(api: Any) -> Any:
    """A model of two inputs and two outputs, used twice, its outputs joined crosswise."""
    pair = two_by_two(api)
    a = api.layers.Input(shape=(3,), name="a")
    b = api.layers.Input(shape=(2,), name="b")
    c = api.layers.Input(shape=(3,), name="c")
    one, two = pair([a, b])
    three, four = pair([c, b])
    left = api.layers.Dense(1, activation="sigmoid", name="left")
    right = api.layers.Dense(1, name="right")
    join = api.layers.concatenate
    return api.Model([a, b, c], [left(join([one, four])), right(join([two, three]))])


def nested_outputs(api: Any) -> Any:
    """The outputs of a model within are the outputs of the outer one: what are they called?"""
    a = api.layers.Input(shape=(3,), name="a")
    b = api.layers.Input(shape=(2,), name="b")
    return api.Model([a, b], list(two_by_two(api)([a, b])))


def nested_output_and_own(api: Any) -> Any:
    """One output of a model within, and one of the outer model's own."""
    a = api.layers.Input(shape=(3,), name="a")
    b = api.layers.Input(shape=(2,), name="b")
    one, two = two_by_two(api)([a, b])
    return api.Model([a, b], [api.layers.Dense(1, name="own")(two), one])


def twice_the_same_output(api: Any) -> Any:
    """One layer called twice gives both outputs: what are they called?"""
    one = api.layers.Input(shape=(4,), name="one")
    two = api.layers.Input(shape=(4,), name="two")
    head = api.layers.Dense(1, activation="sigmoid", name="head")
    return api.Model([one, two], [head(one), head(two)])


def mask_into_nested(api: Any) -> Any:
    """Embedding outside, LSTM within: the mask travels in."""
    x = api.layers.Input(shape=(STEPS, 3))
    inner = api.Model(x, api.layers.Dense(3)(api.layers.LSTM(4)(x)), name="inner")
    tokens = api.layers.Input(shape=(STEPS,), dtype="int32")
    vectors = api.layers.Embedding(9, 3, mask_zero=True)(tokens)
    return api.Model(tokens, api.layers.Dense(1, activation="sigmoid")(inner(vectors)))


def mask_out_of_nested(api: Any) -> Any:
    """Embedding within, LSTM outside: the mask travels out."""
    x = api.layers.Input(shape=(STEPS,), dtype="int32")
    vectors = api.layers.Embedding(9, 3, mask_zero=True)(x)
    inner = api.Model(x, api.layers.Dense(3)(vectors), name="inner")
    tokens = api.layers.Input(shape=(STEPS,), dtype="int32")
    found = api.layers.LSTM(4)(inner(tokens))
    return api.Model(tokens, api.layers.Dense(1, activation="sigmoid")(found))


# -- states, masks and losses --------------------------------------------------------------------


def states(api: Any) -> Any:
    """An encoder's states start the decoder."""
    source = api.layers.Input(shape=(STEPS, 3), name="source")
    _, hidden, cell = api.layers.LSTM(4, return_state=True)(source)
    target = api.layers.Input(shape=(4, 2), name="target")
    decoder = api.layers.LSTM(4, return_sequences=True)
    steps = decoder(target, initial_state=[hidden, cell])
    return api.Model([source, target], api.layers.Dense(2, name="next")(steps))


def states_masked(api: Any) -> Any:
    """Tokens on both sides, padded: encoder and decoder are masked, and so is the loss."""
    source = api.layers.Input(shape=(STEPS,), dtype="int32", name="source")
    vectors = api.layers.Embedding(9, 3, mask_zero=True)(source)
    _, state = api.layers.GRU(4, return_state=True)(vectors)
    target = api.layers.Input(shape=(4,), dtype="int32", name="target")
    vectors = api.layers.Embedding(9, 3, mask_zero=True)(target)
    steps = api.layers.GRU(4, return_sequences=True)(vectors, initial_state=state)
    return api.Model([source, target], api.layers.Dense(3, activation="softmax")(steps))


def masked_loss(api: Any) -> Any:
    """A label for each token: padding is no part of the loss."""
    tokens = api.layers.Input(shape=(6,), dtype="int32")
    x = api.layers.Embedding(9, 3, mask_zero=True)(tokens)
    x = api.layers.LSTM(4, return_sequences=True)(x)
    return api.Model(tokens, api.layers.Dense(1, activation="sigmoid")(x))


def sharing_pair(api: Any) -> tuple[Any, Any]:
    """Two models that share a layer, each with a head of its own."""
    x = api.layers.Input(shape=(4,))
    shared = api.layers.Dense(3, activation="tanh", name="shared")
    hidden = shared(x)
    first = api.Model(x, api.layers.Dense(1, name="first_head")(hidden))
    return first, api.Model(x, api.layers.Dense(1, name="second_head")(hidden))


# -- one layer at a time -------------------------------------------------------------------------


def made(api: Any, spec: Mapping[str, Any]) -> Any:
    """The layer of ``{"layer": class, "config": arguments}``; an inner layer is such a one, too."""
    config = {
        key: made(api, value) if isinstance(value, Mapping) and "layer" in value else value
        for key, value in spec["config"].items()
    }
    return getattr(api.layers, spec["layer"])(**config)


def chain(
    api: Any,
    steps: Sequence[Mapping[str, Any]],
    shapes: Sequence[tuple[Sequence[int], str]],
    states: int = 0,
) -> Any:
    """A Dense before each float input, then `steps`, then one Dense over all their results.

    Args:
        api: what builds it.
        steps: the layers in turn; the first one gets all inputs.
        shapes: shape and dtype of each input.
        states: how many of the inputs (the last ones) start the last step.
    """
    inputs = [api.layers.Input(shape=tuple(shape), dtype=dtype) for shape, dtype in shapes]
    values = [
        x if dtype == "int32" else api.layers.Dense(shape[-1], use_bias=False)(x)
        for x, (shape, dtype) in zip(inputs, shapes, strict=True)
    ]
    start, value = values[len(values) - states :], values[: len(values) - states]
    found: Any = value[0] if len(value) == 1 else value
    for number, spec in enumerate(steps, 1):
        last = bool(states) and number == len(steps)
        given = found if spec["layer"] == "MultiHeadAttention" else (found,)
        found = made(api, spec)(*given, **({"initial_state": start} if last else {}))
    results = list(found) if isinstance(found, list | tuple) else [found]
    flat = [x if len(x.shape) == 2 else api.layers.Flatten()(x) for x in results]
    joined = flat[0] if len(flat) == 1 else api.layers.concatenate(flat)
    return api.Model(inputs, api.layers.Dense(1)(joined))


SYSTEMS: dict[str, Callable[[Any], Any]] = {
    "digits": digits,
    "reuse": reuse,
    "reuse_frozen": lambda api: reuse(api, frozen=True),
    "reuse_topped": lambda api: reuse(api, topped=True),
    "reuse_frozen_topped": lambda api: reuse(api, frozen=True, topped=True),
    "reuse_frozen_later": reuse_frozen_later,
    "reuse_twice": reuse_twice,
    "video": video,
    "video_masked": lambda api: video(api, masked=True),
    "video_vectors": video_vectors,
    "tweets": tweets,
    "tweets_deep": lambda api: tweets(api, deep=True),
    "headline_regularized": headline_regularized,
    "regularized_once": regularized_once,
    "regularized_frozen": regularized_frozen,
    "batch_normalization": batch_normalization,
    "batch_normalization_frozen": lambda api: batch_normalization(api, frozen=True),
    "batch_normalization_shared": batch_normalization_shared,
    "batch_normalization_each_step": batch_normalization_each_step,
    "batch_normalization_masked": batch_normalization_masked,
    "batch_normalization_nested": batch_normalization_nested,
    "batch_normalization_nested_frozen": lambda api: batch_normalization_nested(api, frozen=True),
    "nested": nested,
    "nested_shared_layer": nested_shared_layer,
    "nested_two_by_two": nested_two_by_two,
    "nested_outputs": nested_outputs,
    "nested_output_and_own": nested_output_and_own,
    "twice_the_same_output": twice_the_same_output,
    "mask_into_nested": mask_into_nested,
    "mask_out_of_nested": mask_out_of_nested,
    "states": states,
    "states_masked": states_masked,
    "masked_loss": masked_loss,
    "masked_loss_weighted": masked_loss,
    "masked_loss_weighted_steps": masked_loss,
    "masked_loss_metrics": masked_loss,
}
