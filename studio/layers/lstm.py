"""Long short-term memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Attribute, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform, Orthogonal
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import float_input, known_last_axis
from studio.layers.masking import flip, pack, unpack

_GATES = np.array([0, 3, 1, 2])  # ONNX's order i, o, f, c taken from Keras's i, f, c, o
# Keras's names as ONNX's, with alpha and beta where the function has them.
_IN_ONNX: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]]] = {
    "tanh": ("Tanh", (), ()),
    "sigmoid": ("Sigmoid", (), ()),
    "relu": ("Relu", (), ()),
    "softsign": ("Softsign", (), ()),
    "hard_sigmoid": ("HardSigmoid", (1 / 6,), (0.5,)),
    "linear": ("Affine", (1.0,), (0.0,)),
}


@dataclass(frozen=True)
class ForgetBias(Initializer):
    """The LSTM's bias: `rest` everywhere, ones for the forget gate (Jozefowicz et al., 2015)."""

    rest: Initializer = Zeros()

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        bias = self.rest.fill(shape, rng)
        units = shape[0] // 4
        bias[units : 2 * units] = 1
        return bias


@dataclass(frozen=True)
class LSTM(Layer):
    """Reads a sequence step by step, keeping a memory cell (Hochreiter & Schmidhuber, 1997)."""

    category = "Recurrent"
    supports_masking = True
    synonyms = ("long short-term memory", "recurrent", "长短期记忆", "循环")
    units: int = param(32, "Size of the output and of the memory", min=1)
    activation: str = param("tanh", "Of the candidate and the result", choices=tuple(_IN_ONNX))
    recurrent_activation: str = param("sigmoid", "Of the gates", choices=tuple(_IN_ONNX))
    use_bias: bool = param(True, "Add a bias vector")
    kernel_initializer: Initializer = param(
        GlorotUniform(), "How the input's kernel starts", family="initializers"
    )
    recurrent_initializer: Initializer = param(
        Orthogonal(), "How the state's kernel starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    unit_forget_bias: bool = param(True, "Start the forget gate's bias at 1")
    return_sequences: bool = param(False, "Give the output of every step, not only the last")
    go_backwards: bool = param(False, "Read the sequence from its end")
    examples = (
        Example({"units": 3}, (Spec("float32", ("batch", 5, 4)),)),
        Example({"units": 2, "return_sequences": True}, (Spec("float32", ("batch", 4, 3)),)),
        Example(
            {"units": 2, "go_backwards": True, "return_sequences": True, "use_bias": False},
            (Spec("float32", ("batch", 4, 3)),),
        ),
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        width, gates = known_last_axis(self.kind, x[0]), 4 * self.units
        bias = self.bias_initializer
        kernels = (
            Weight("kernel", (width, gates), self.kernel_initializer),
            Weight("recurrent_kernel", (self.units, gates), self.recurrent_initializer),
        )
        if not self.use_bias:
            return kernels
        start = ForgetBias(bias) if self.unit_forget_bias else bias
        return (*kernels, Weight("bias", (gates,), start))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=3)
        kernel = self._gates_first(op, op.Transpose(w.kernel, perm=(1, 0)))
        recurrent = self._gates_first(op, op.Transpose(w.recurrent_kernel, perm=(1, 0)))
        attrs: dict[str, Attribute] = {"hidden_size": self.units, **self._activations()}
        weights = (kernel, recurrent, self._bias(op, w))
        mask = op.mask(x[0])
        if mask is not None:
            return self._masked(op, x[0], mask, weights, attrs)
        time_major = op.Transpose(x[0], perm=(1, 0, 2))
        attrs["direction"] = "reverse" if self.go_backwards else "forward"
        sequence, last, _ = op.call("LSTM", (time_major, *weights), 3, None, **attrs)
        if not self.return_sequences:
            return op.Squeeze(last, np.array([0], np.int64))
        steps = op.Transpose(op.Squeeze(sequence, np.array([1], np.int64)), perm=(1, 0, 2))
        # ONNX gives a reverse pass in the input's order, Keras in the order it was read.
        return flip(op, steps) if self.go_backwards else steps

    def _masked(
        self,
        op: LayerBuilder,
        x: Value,
        mask: Value,
        weights: tuple[Value | None, ...],
        attrs: Mapping[str, Attribute],
    ) -> Value:
        if self.go_backwards:
            x, mask = flip(op, x), flip(op, mask)
        packed = pack(op, x, mask)
        operands = (packed.steps, *weights, packed.lengths)
        sequence, last, _ = op.call("LSTM", operands, 3, None, **attrs)
        if not self.return_sequences:
            return op.Squeeze(last, np.array([0], np.int64))
        return unpack(op, op.Squeeze(sequence, np.array([1], np.int64)), packed)

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        return op.mask(x[0]) if self.return_sequences else None

    def _activations(self) -> dict[str, Attribute]:
        """Of the gates, the candidate and the result, as attributes of ONNX's LSTM."""
        inner = _IN_ONNX[self.activation]
        chosen = (_IN_ONNX[self.recurrent_activation], inner, inner)
        alphas = tuple(a for _, some, _ in chosen for a in some)
        betas = tuple(b for _, _, some in chosen for b in some)
        found: dict[str, Attribute] = {"activations": tuple(name for name, _, _ in chosen)}
        if alphas:
            found |= {"activation_alpha": alphas, "activation_beta": betas}
        return found

    def _gates_first(self, op: LayerBuilder, transposed: Value) -> Value:
        """Keras's (4·units, …), gates i, f, c, o, as ONNX's (1, 4·units, …), gates i, o, f, c."""
        return op.Unsqueeze(op.Gather(transposed, self._rows(), axis=0), np.array([0], np.int64))

    def _rows(self) -> Array:
        return (_GATES[:, None] * self.units + np.arange(self.units)).reshape(-1)

    def _bias(self, op: LayerBuilder, w: Weights) -> Value | None:
        """ONNX adds two biases, the input's and the state's; Keras has the first."""
        if not self.use_bias:
            return None
        ours = op.Gather(w.bias, self._rows(), axis=0)
        both = op.Concat(ours, np.zeros(4 * self.units, np.dtype(ours.dtype)), axis=0)
        return op.Unsqueeze(both, np.array([0], np.int64))
