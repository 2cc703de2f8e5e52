"""What layers of Keras 3.15.1 have and ours have not: parameters, activations, and why.

Whoever asks for one is told the reason. The layers left out are in `studio.left_out`.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.left_out import Reason
from studio.problem import refuse


@dataclass(frozen=True)
class Parameter:
    """A parameter of some layers that Keras takes and that is none of theirs here.

    Attributes:
        kinds: the layers; ``*`` where Keras gives it to every one.
        usual: the values that ask for nothing, and are taken without a word.
        why: the reason.
        harmless: whether any value leaves the numbers what they are; it is ignored, with a warning.
    """

    kinds: tuple[str, ...]
    usual: tuple[Any, ...]
    why: Reason
    harmless: bool = False


def _each(kinds: str) -> tuple[str, ...]:
    return tuple(kinds.split())


ACTIVATIONS = {"threshold": Reason("threshold")}

_RECURRENT = _each("SimpleRNN GRU LSTM")
_ADAPTED = _each("Dense EinsumDense Embedding")
_DRAWING = _each(
    """Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianDropout GaussianNoise
    AlphaDropout RandomFlip Attention AdditiveAttention MultiHeadAttention SimpleRNN GRU LSTM"""
)
PARAMETERS: Mapping[str, tuple[Parameter, ...]] = {
    "seed": (Parameter(_DRAWING, (None,), Reason("seed"), harmless=True),),
    "input_length": (Parameter(("Embedding",), (None,), Reason("input_length"), harmless=True),),
    "batch_size": (Parameter(("Input",), (None,), Reason("batch_size"), harmless=True),),
    "ragged": (Parameter(("Input",), (None, False), Reason("ragged")),),
    "tensor": (Parameter(("Input",), (None,), Reason("tensor")),),
    "optional": (Parameter(("Input",), (False,), Reason("optional")),),
    "unroll": (Parameter(_RECURRENT, (False,), Reason("unroll"), harmless=True),),
    "use_cudnn": (Parameter(_RECURRENT, ("auto", False), Reason("unroll"), harmless=True),),
    "flash_attention": (
        Parameter(("MultiHeadAttention",), (None, False), Reason("unroll"), harmless=True),
    ),
    "synchronized": (
        Parameter(("BatchNormalization",), (False,), Reason("synchronized"), harmless=True),
    ),
    "dtype": (Parameter(("*",), (None, "float32"), Reason("dtype")),),
    "activity_regularizer": (Parameter(("*",), (None,), Reason("activity")),),
    "stateful": (Parameter(_RECURRENT, (False,), Reason("stateful")),),
    "weights": (Parameter(("Embedding", "Bidirectional"), (None,), Reason("weights")),),
    "backward_layer": (Parameter(("Bidirectional",), (None,), Reason("backward_layer")),),
    "sparse": (
        Parameter(("Input", "CategoryEncoding", "Discretization"), (None, False), Reason("sparse")),
    ),
    "crop_to_aspect_ratio": (Parameter(("Resizing",), (False,), Reason("aspect")),),
    "pad_to_aspect_ratio": (Parameter(("Resizing",), (False,), Reason("aspect")),),
    "fill_mode": (Parameter(("Resizing",), ("constant",), Reason("aspect")),),
    "fill_value": (Parameter(("Resizing",), (0.0,), Reason("aspect")),),
    "bounding_box_format": (Parameter(("RandomFlip", "Resizing"), (None,), Reason("boxes")),),
    "renorm": (Parameter(("BatchNormalization",), (False,), Reason("renorm")),),
    "renorm_clipping": (Parameter(("BatchNormalization",), (None,), Reason("renorm")),),
    "renorm_momentum": (Parameter(("BatchNormalization",), (0.99,), Reason("renorm")),),
    "lora_rank": (Parameter(_ADAPTED, (None,), Reason("adapters")),),
    "lora_alpha": (Parameter(_ADAPTED, (None,), Reason("adapters")),),
    "gptq_unpacked_column_size": (Parameter(("EinsumDense",), (None,), Reason("adapters")),),
    "quantization_config": (Parameter(_ADAPTED, (None,), Reason("adapters")),),
    "attention_axes": (Parameter(("MultiHeadAttention",), (None,), Reason("attention")),),
    "sliding_window": (Parameter(("MultiHeadAttention",), (None,), Reason("attention")),),
    "use_gate": (Parameter(("MultiHeadAttention",), (False,), Reason("attention")),),
}


def left_out(kind: str, name: str) -> Parameter | None:
    """What is known of a parameter of a layer that is none of its own."""
    for found in PARAMETERS.get(name, ()):
        if kind in found.kinds or "*" in found.kinds:
            return found
    return None


def without_left_out(
    kind: str, own: Iterable[str], params: Mapping[str, Any], stacklevel: int
) -> dict[str, Any]:
    """`params` without those that are none of the layer's `own`, and change nothing.

    Raises:
        ProblemError: ``parameter_left_out``: one would change what is computed.
    """
    taken = {name: value for name, value in params.items() if name in set(own)}
    for name, value in params.items():
        found = None if name in taken else left_out(kind, name)
        if found is None:
            taken[name] = value
        elif any(value is usual or _plainly(value, usual) for usual in found.usual):
            continue
        elif found.harmless:
            warnings.warn(f"{kind} ignores {name}: {found.why}", stacklevel=stacklevel + 1)
        else:
            raise refuse("parameter_left_out", kind=kind, name=name, received=value, why=found.why)
    return taken


def _plainly(value: Any, usual: Any) -> bool:
    """Whether a number or a text is this one; of arrays nobody asks."""
    return isinstance(value, str | float) and bool(value == usual)
