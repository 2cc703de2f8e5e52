"""Trainings in which NaN or infinity comes up at a known place, for the tests that look for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from studio import optimizers
from studio.initializers import Constant
from studio.layers import (
    GRU,
    LSTM,
    Activation,
    ActivityRegularization,
    Add,
    Attention,
    Average,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dot,
    Dropout,
    EinsumDense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    Input,
    Masking,
    MaxPooling2D,
    Multiply,
    PReLU,
    Rescaling,
    SimpleRNN,
    Subtract,
    TimeDistributed,
)
from studio.models import Model, set_random_seed

ROWS, BATCH = 12, 4
ROW = 6  # of the samples: the third of the second batch, where samples are not shuffled
HUGE = 1e20  # its square is beyond float32
LIMIT = 3e38  # twice that is beyond float32
NAN, INF = float("nan"), float("inf")


@dataclass(frozen=True)
class Case:
    """One training, and what is to be said of it.

    Attributes:
        model: compiled.
        x, y: arrays, in the order of the model's inputs and outputs.
        weight: of the samples, for the first output.
        said: what the hit must say, by its attributes.
        after: how many batches pass before.
    """

    model: Model
    x: list[Any]
    y: list[Any]
    said: dict[str, Any]
    weight: Any = None
    after: int = 1


def numbers(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(ROWS, *shape)).astype(np.float32)


def at_row(x: Any, value: float, *place: int) -> Any:
    """With one number of the row that is looked for changed, or all of them."""
    x[(ROW, *place)] = value
    return x


def compiled(inputs: Any, outputs: Any, loss: Any = "mse", optimizer: Any = None) -> Model:
    model = Model(inputs, outputs)
    model.compile(optimizer or optimizers.SGD(1e-6), loss)
    return model


def plain(x: Any, last: Any, loss: Any = "mse", optimizer: Any = None) -> Model:
    """With a Dense of one unit, called "end", as the output."""
    return compiled(x, Dense(1, name="end")(last), loss, optimizer)


def spot(where: str, layer: str, sample: int | None = 2, **more: Any) -> dict[str, Any]:
    return {"where": where, "layer": layer, "sample": sample, **more}


CASES: dict[str, Callable[[], Case]] = {}


def build(name: str) -> Case:
    """A case, with the same first weights every time."""
    set_random_seed(5)
    return CASES[name]()


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


# -- data ----------------------------------------------------------------------------------------


def _fed(value: float, shape: tuple[int, ...], body: Callable[[Any], Any], *place: int) -> Case:
    x = Input(shape, name="data")
    model = plain(x, body(x))
    time = place[0] if len(shape) == 2 else None
    said = spot("input", "data", time=time, row=ROW)
    return Case(model, [at_row(numbers(*shape), value, *place)], [numbers(1)], said)


@case
def nan_in_numbers() -> Case:
    return _fed(NAN, (3,), Dense(4), 1)


@case
def infinity_in_numbers() -> Case:
    return _fed(INF, (3,), Dense(4), 1)


@case
def negative_infinity_in_numbers() -> Case:
    found = _fed(-INF, (3,), Dense(4), 1)
    return Case(found.model, found.x, found.y, {**found.said, "value": -INF})


@case
def nan_in_a_picture() -> Case:
    return _fed(NAN, (8, 8, 1), lambda x: Flatten()(Conv2D(2, 3)(x)), 3, 3, 0)


@case
def nan_in_a_sequence_for_an_lstm() -> Case:
    return _fed(NAN, (5, 2), LSTM(3), 3, 1)


@case
def nan_in_a_sequence_for_a_convolution() -> Case:
    return _fed(NAN, (6, 2), lambda x: Flatten()(Conv1D(3, 2)(x)), 4, 0)


@case
def nan_in_steps_of_time_distributed() -> Case:
    return _fed(NAN, (4, 3), lambda x: Flatten()(TimeDistributed(Dense(2))(x)), 2, 2)


@case
def nan_in_the_second_of_two_inputs() -> Case:
    a, b = Input((3,), name="first"), Input((2,), name="second")
    model = plain([a, b], Concatenate()([Dense(4)(a), b]))
    x = [numbers(3), at_row(numbers(2), NAN, 0)]
    return Case(model, x, [numbers(1)], spot("input", "second", row=ROW))


@case
def nan_in_a_target() -> Case:
    x = Input((3,))
    said = spot("target", "end", row=ROW)
    return Case(plain(x, x), [numbers(3)], [at_row(numbers(1), NAN, 0)], said)


@case
def infinity_in_the_target_of_the_second_output() -> Case:
    x = Input((3,))
    model = compiled(x, [Dense(1, name="one")(x), Dense(1, name="two")(x)], "mae")
    y = [numbers(1), at_row(numbers(1), INF, 0)]
    return Case(model, [numbers(3)], y, spot("target", "two", row=ROW))


@case
def nan_in_the_target_of_a_sequence() -> Case:
    x = Input((4, 2))
    model = compiled(x, GRU(1, return_sequences=True, name="end")(x))
    y = [at_row(numbers(4, 1), NAN, 3, 0)]
    return Case(model, [numbers(4, 2)], y, spot("target", "end", time=3))


@case
def nan_in_a_sample_weight() -> Case:
    x = Input((3,))
    weight = at_row(np.ones(ROWS, np.float32), NAN)
    said = spot("sample_weight", "end", row=ROW)
    return Case(plain(x, x), [numbers(3)], [numbers(1)], said, weight)


# -- layers that give what is not finite for what is ----------------------------------------------


def _given(
    x_shape: tuple[int, ...],
    layer: str,
    body: Callable[[Any], Any],
    value: float = HUGE,
    **more: Any,
) -> Case:
    """A row of huge numbers goes into a layer."""
    x = Input(x_shape)
    said = spot("forward", layer, **more)
    return Case(plain(x, body(x)), [at_row(numbers(*x_shape), value)], [numbers(1)], said)


@case
def exponential_of_a_dense() -> Case:
    return _given((3,), "wild", Dense(2, "exponential", kernel_initializer="ones", name="wild"))


@case
def exponential_by_itself() -> Case:
    body = Activation("exponential", name="wild")
    return _given((3,), "wild", lambda x: body(Rescaling(1e-3)(x)), operator="Exp")


@case
def product_of_two_branches() -> Case:
    def body(x: Any) -> Any:
        a, b = (Dense(2, kernel_initializer="ones")(x) for _ in range(2))
        return Multiply(name="wild")([a, b])

    return _given((3,), "wild", body, operator="Mul")


@case
def sum_beyond_what_float32_holds() -> Case:
    def body(x: Any) -> Any:
        return Add(name="wild")([x, Rescaling(0.9)(x)])

    return _given((3,), "wild", body, LIMIT, operator="Add")


@case
def difference_beyond_what_float32_holds() -> Case:
    def body(x: Any) -> Any:
        return Subtract(name="wild")([x, Rescaling(-0.9)(x)])

    return _given((3,), "wild", body, LIMIT, operator="Sub")


@case
def mean_of_what_cannot_be_summed() -> Case:
    def body(x: Any) -> Any:
        return Average(name="wild")([x, Rescaling(0.9)(x)])

    return _given((3,), "wild", body, LIMIT, operator="Mean")


@case
def scalar_product_of_two_vectors() -> Case:
    def body(x: Any) -> Any:
        return Dot(axes=1, name="wild")([x, x])

    return _given((3,), "wild", body)


@case
def rescaling_out_of_range() -> Case:
    return _given((3,), "wild", Rescaling(10.0, name="wild"), LIMIT, operator="Mul")


@case
def matrix_product_of_a_dense() -> Case:
    wild = Dense(2, kernel_initializer="ones", name="wild")
    return _given((3,), "wild", wild, LIMIT, operator="MatMul")


@case
def convolution_of_a_picture() -> Case:
    wild = Conv2D(2, 3, kernel_initializer="ones", name="wild")
    body = lambda x: GlobalAveragePooling2D()(wild(x))  # noqa: E731
    return _given((6, 6, 1), "wild", body, LIMIT, operator="Conv")


@case
def convolution_of_a_sequence() -> Case:
    wild = Conv1D(2, 2, kernel_initializer="ones", name="wild")
    return _given((5, 2), "wild", lambda x: GlobalAveragePooling1D()(wild(x)), LIMIT, time=0)


@case
def products_of_an_einsum_dense() -> Case:
    wild = EinsumDense("ab,bc->ac", 2, kernel_initializer="ones", name="wild")
    return _given((3,), "wild", wild, LIMIT)


@case
def convolution_that_enlarges() -> Case:
    wild = Conv2DTranspose(2, 3, kernel_initializer="ones", name="wild")
    return _given((3, 3, 1), "wild", lambda x: GlobalAveragePooling2D()(wild(x)), LIMIT)


@case
def batch_normalization_of_huge_numbers() -> Case:
    body = BatchNormalization(name="wild")
    return _given((3,), "wild", body, sample=0)  # the mean of the batch is huge


@case
def attention_of_huge_numbers() -> Case:
    return _given((4, 3), "wild", lambda x: Flatten()(Attention(name="wild")([x, x])))


@case
def slope_of_a_prelu() -> Case:
    return _given((3,), "wild", PReLU(alpha_initializer=Constant(10.0), name="wild"), -LIMIT)


@case
def layer_behind_max_pooling() -> Case:
    wild = Dense(2, "exponential", kernel_initializer="ones", name="wild")
    return _given((4, 4, 1), "wild", lambda x: wild(Flatten()(MaxPooling2D()(x))))


@case
def layer_behind_dropout() -> Case:
    wild = Dense(2, "exponential", kernel_initializer=Constant(0.1), name="wild")
    return _given((16,), "wild", lambda x: wild(Dropout(0.3)(x)))


# -- in time -------------------------------------------------------------------------------------


def _recurrent(body: Callable[[Any], Any], time: int, steps: int = 6, **more: Any) -> Case:
    """A one at each step of the row; what a layer makes of it grows by 1e10 from step to step."""
    x = Input((steps, 1))
    data = at_row(np.zeros((ROWS, steps, 1), np.float32), 1.0)
    said = spot("forward", more.pop("layer", "wild"), time=time, **more)
    return Case(plain(x, body(x)), [data], [numbers(1)], said)


def grows(kind: Any, **more: Any) -> Any:
    more = {"kernel_initializer": "ones", "name": "wild", **more}
    return kind(1, "relu", recurrent_initializer=Constant(1e10), **more)


@case
def simple_rnn_that_grows() -> Case:
    return _recurrent(grows(SimpleRNN), 4, operator="RNN")


@case
def simple_rnn_that_gives_each_step() -> Case:
    return _recurrent(lambda x: Flatten()(grows(SimpleRNN, return_sequences=True)(x)), 4)


@case
def simple_rnn_from_the_end() -> Case:
    return _recurrent(grows(SimpleRNN, go_backwards=True), 1)


@case
def lstm_that_grows() -> Case:
    lstm = grows(LSTM, recurrent_activation="relu")
    return _recurrent(lstm, 2, operator="LSTM")


@case
def step_of_a_gru() -> Case:
    x = Input((5, 2))
    wild = GRU(1, "relu", kernel_initializer="ones", name="wild")
    said = spot("forward", "wild", time=3, operator="GRU")
    return Case(plain(x, wild(x)), [at_row(numbers(5, 2), LIMIT, 3)], [numbers(1)], said)


@case
def gradient_through_a_gru() -> Case:
    gru = grows(GRU, recurrent_activation="relu", reset_after=False)
    found = _recurrent(gru, 1)
    return replace(found, said=spot("backward", "wild", operator="GRUGrad"))


@case
def one_way_of_two() -> Case:
    both = Bidirectional(grows(SimpleRNN, name="inner"), name="wild")
    return _recurrent(both, 4)


@case
def one_step_of_time_distributed() -> Case:
    x = Input((4, 3))
    wild = TimeDistributed(Dense(2, "exponential", kernel_initializer="ones"), name="wild")
    data = at_row(numbers(4, 3), HUGE, 2)
    said = spot("forward", "wild", time=2)
    return Case(plain(x, Flatten()(wild(x))), [data], [numbers(1)], said)


@case
def step_that_is_not_masked() -> Case:
    x = Input((4, 1))
    wild = TimeDistributed(Dense(1, "exponential", kernel_initializer="ones"), name="wild")
    data = at_row(np.ones((ROWS, 4, 1), np.float32), 200.0, 3)
    model = plain(x, LSTM(2)(wild(Masking()(x))))
    return Case(model, [data], [numbers(1)], spot("forward", "wild", time=3))


# -- models within models, and shared layers ------------------------------------------------------


@case
def layer_within_a_model() -> Case:
    a = Input((3,))
    inner = Model(a, Dense(2, "exponential", kernel_initializer="ones", name="wild")(a), "inner")
    return _given((3,), "inner/wild", inner)


@case
def second_call_of_a_model() -> Case:
    a = Input((3,))
    inner = Model(a, Dense(2, "exponential", kernel_initializer="ones", name="wild")(a), "inner")
    one, two = Input((3,), name="one"), Input((3,), name="two")
    model = plain([one, two], Concatenate()([inner(one), inner(two)]))
    x = [numbers(3), at_row(numbers(3), HUGE)]
    calls = [c for c, call in model.document.graph.calls.items() if call_of(model, call) == "inner"]
    said = spot("forward", "inner/wild", call=calls[1])
    return Case(model, x, [numbers(1)], said)


@case
def second_call_of_a_shared_layer() -> Case:
    wild = Dense(2, "exponential", kernel_initializer="ones", name="wild")
    one, two = Input((3,), name="one"), Input((3,), name="two")
    model = plain([one, two], Concatenate()([wild(one), wild(two)]))
    calls = [c for c, call in model.document.graph.calls.items() if call_of(model, call) == "wild"]
    x = [numbers(3), at_row(numbers(3), HUGE)]
    return Case(model, x, [numbers(1)], spot("forward", "wild", call=calls[1]))


# -- losses --------------------------------------------------------------------------------------


def _lost(loss: Any, x_value: float = 1.0, y_value: float = 1.0, **more: Any) -> Case:
    x = Input((1,))
    out = Dense(1, kernel_initializer="ones", name="end")(x)
    data, target = np.ones((2, ROWS, 1), np.float32)
    said = spot("loss", "end", **more)
    x_rows, y_rows = [at_row(data, x_value)], [at_row(target, y_value)]
    return Case(compiled(x, out, loss), x_rows, y_rows, said)


@case
def logarithm_of_a_negative_prediction() -> Case:
    return _lost("poisson", x_value=-3.0, operator="Log")


@case
def square_of_a_huge_target() -> Case:
    return _lost("mse", y_value=HUGE)


@case
def square_of_a_huge_prediction() -> Case:
    return _lost("mse", x_value=HUGE)


@case
def division_by_next_to_nothing() -> Case:
    return _lost("mape", x_value=LIMIT, y_value=0.0)


@case
def weight_that_costs_too_much() -> Case:
    x = Input((3,))
    wild = Dense(2, kernel_initializer=Constant(1e20), kernel_regularizer="l2", name="wild")
    said = spot("loss", "wild", sample=None, weight="kernel")
    return Case(plain(x, wild(x)), [0 * numbers(3)], [numbers(1)], said, after=0)


@case
def result_that_costs_too_much() -> Case:
    x = Input((3,))
    body = ActivityRegularization(l2=1.0, name="wild")
    data = at_row(numbers(3), HUGE)
    return Case(
        plain(x, Rescaling(1e-25)(body(x))), [data], [numbers(1)], spot("loss", "wild", sample=2)
    )


# -- the way back, and the update -----------------------------------------------------------------


@case
def gradient_of_a_kernel() -> Case:
    x = Input((1,))
    wild = Dense(1, kernel_initializer=Constant(1e-4), use_bias=False, name="wild")
    data = at_row(np.ones((ROWS, 1), np.float32), 1e22)
    said = spot("backward", "wild", sample=None, weight="kernel", operator="MatMul")
    return Case(compiled(x, wild(x)), [data], [numbers(1)], said)


@case
def step_beyond_what_float32_holds() -> Case:
    x = Input((1,))
    wild = Dense(1, kernel_initializer="ones", use_bias=False, name="wild")
    data = at_row(np.ones((ROWS, 1), np.float32), 1e10)
    said = spot("update", "wild", sample=None, weight="kernel")
    y = np.ones((ROWS, 1), np.float32)
    return Case(compiled(x, wild(x), "mse", optimizers.SGD(1e30)), [data], [y], said)


@case
def squares_that_rmsprop_keeps() -> Case:
    x = Input((1,))
    wild = Dense(1, kernel_initializer="ones", use_bias=False, name="wild")
    data = at_row(np.ones((ROWS, 1), np.float32), 1e21)
    model = compiled(x, wild(x), "mae", optimizers.RMSprop(1e-3))
    said = spot("update", "wild", sample=None, weight="kernel")
    return Case(model, [data], [numbers(1)], said)


@case
def squares_that_adam_keeps() -> Case:
    x = Input((1,))
    wild = Dense(1, kernel_initializer="ones", use_bias=False, name="wild")
    data = at_row(np.ones((ROWS, 1), np.float32), 1e21)
    model = compiled(x, wild(x), "mae", optimizers.Adam(1e-3))
    said = spot("update", "wild", sample=None, weight="kernel")
    return Case(model, [data], [numbers(1)], said)


@case
def statistics_of_batch_normalization() -> Case:
    x = Input((1,))
    normal = BatchNormalization(name="wild")
    out = Dense(1, kernel_initializer="zeros", name="end")(normal(x))
    data = at_row(np.ones((ROWS, 1), np.float32), HUGE)
    return Case(compiled(x, out, "mae"), [data], [numbers(1)], spot("forward", "wild", sample=0))


# -- a rate far too large -------------------------------------------------------------------------


def _fast(x_shape: tuple[int, ...], layer: str, body: Callable[[Any], Any]) -> Case:
    x = Input(x_shape)
    model = plain(x, body(x), "mse", optimizers.SGD(1e30))
    return Case(model, [numbers(*x_shape)], [numbers(1)], {"kind": "not_finite", "layer": layer})


@case
def rate_too_large_for_dense() -> Case:
    return _fast((3,), "end", Dense(4, name="first"))


@case
def rate_too_large_for_a_convolution() -> Case:
    return _fast((6, 6, 1), "end", lambda x: Flatten()(Conv2D(2, 3, name="first")(x)))


# -- weights that were so before -------------------------------------------------------------------


def _kept(body: Any, x: Any, data: Any, weight: str, **said: Any) -> Case:
    model = plain(x, body(x) if not isinstance(body, Embedding) else Flatten()(body(x)))
    variable = next(w for w in body.weights if w.path.endswith(weight))
    value = variable.numpy()
    value[1] = NAN
    variable.assign(value)
    return Case(
        model, [data], [numbers(1)], {"where": "weights", "weight": weight, **said}, after=0
    )


@case
def nan_in_a_kernel() -> Case:
    return _kept(Dense(2, name="wild"), Input((3,)), numbers(3), "kernel", layer="wild")


@case
def nan_in_a_row_of_an_embedding() -> Case:
    words = np.tile(np.array([[0, 2, 1]]), (ROWS, 1)).astype(np.int32)
    x = Input((3,), dtype="int32")
    return _kept(Embedding(4, 2, name="wild"), x, words, "embeddings", layer="wild")


def call_of(model: Model, call: Any) -> str:
    return model.document.layers[call.layer].name
