"""Sample uses of every operator."""

from typing import Any

import numpy as np

from studio.engine.program import Spec
from tests.engine.cases import B, Case, boolean, f, i32, i64, ints

UNARY = [
    *(Case(op, (f(B, 3),)) for op in ("Neg", "Abs", "Sign", "Floor", "Exp", "Erf", "Tanh")),
    *(Case(op, (f(B, 3),), draw="wide") for op in ("Sin", "Cos")),
    *(Case(op, (f(B, 3),)) for op in ("Sigmoid", "Relu", "Selu", "Softplus", "Softsign")),
    *(Case(op, (f(B, 3),), draw="positive") for op in ("Log", "Sqrt", "Reciprocal")),
    Case("Sigmoid", (f(2, B, 1, 2),), draw="wide"),
    Case("Relu", (f(B),)),
    Case("Identity", (f(B, 3),)),
    Case("LeakyRelu", (f(B, 3),)),
    Case("LeakyRelu", (f(B, 3),), {"alpha": 0.2}),
    Case("PRelu", (f(B, 2, 3), f(2, 3))),
    Case("PRelu", (f(B, 2, 3), f(1, 3))),
    Case("Shrink", (f(B, 3),), draw="wide"),
    Case("Shrink", (f(B, 3),), {"lambd": 1.5, "bias": 0.5}, draw="wide"),
    Case("Elu", (f(B, 3),)),
    Case("Elu", (f(B, 3),), {"alpha": 0.5}),
    Case("Selu", (f(B, 3),), {"alpha": 1.5, "gamma": 1.2}),
    Case("HardSigmoid", (f(B, 3),), draw="wide"),
    Case("HardSigmoid", (f(B, 3),), {"alpha": 1 / 6, "beta": 0.5}, draw="wide"),
]
BINARY = [
    *(
        Case(op, operands, draw="positive" if op == "Pow" else "any")
        for op in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean")
        for operands in (
            (f(B, 3), f(B, 3)),
            (f(B, 3), f(3)),
            (f(3), f(B, 3)),
            (f(B, 1), f(1, 3)),
            (f(), f(B, 2)),
            (f(2, 1, 3), f(B, 1)),
            (f(B, 2, 1, 2), f(2, 3, 1)),
        )
    ),
    Case("Div", (i64(B, 3), ints(-2))),
    Case("Max", (i32(B, 3), i32(B, 3))),
    *(Case(op, (f(B, 3), f(3), f(B, 1))) for op in ("Max", "Min", "Sum", "Mean")),
    *(Case(op, (f(B, 3),)) for op in ("Max", "Min", "Sum", "Mean")),
    Case("Pow", (f(B, 3), np.float32(2))),
    Case("Pow", (f(B, 3), np.array([2, 3, 1], np.float32))),
    Case("Where", (boolean(B, 3), f(B, 3), f(B, 3))),
    Case("Where", (boolean(B, 1), f(3), f())),
    Case("Where", (boolean(3), f(B, 1), f(1, 3))),
    *(
        Case(op, (i32(B, 3), i32(3)))
        for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
    ),
    Case("Equal", (boolean(B), boolean(B))),
    *(Case(op, (boolean(B, 3), boolean(3))) for op in ("And", "Or")),
    Case("Not", (boolean(B, 3),)),
    Case("Clip", (f(B, 3), np.float32(-0.7), np.float32(1.1))),
    Case("Clip", (f(B, 3), np.float32(-0.7))),
    Case("Clip", (f(B, 3), None, np.float32(0.6))),
    Case("Clip", (i32(B, 3), np.int32(1), np.int32(2))),
    Case("Cast", (f(B, 3),), {"to": "int32"}, draw="wide"),
    Case("Cast", (f(B, 3),), {"to": "bool"}),
    Case("Cast", (f(B, 3),), {"to": "float64"}),
    Case("Cast", (i64(B, 3),), {"to": "float32"}),
    Case("Cast", (boolean(B),), {"to": "float32"}),
    Case("CastLike", (f(B, 3), np.zeros(1))),
]
_AXES = (None, ints(0), ints(1), ints(-1), ints(0, -1))
REDUCTIONS = [
    *(
        Case(op, (f(B, 3, 2),) if axes is None else (f(B, 3, 2), axes), {"keepdims": keep})
        for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
        for axes in _AXES
        for keep in (0, 1)
    ),
    *(
        Case(op, (f(B), ints(0)), {"keepdims": 0})
        for op in ("ReduceSum", "ReduceMean", "ReduceMax")
    ),
    Case("ReduceSum", (f(B, 3),), {"noop_with_empty_axes": 1}),
    Case("ReduceSum", (i32(B, 3), ints(1))),
    *(
        Case(op, (f(B, 3, 2),), {"axis": axis, "keepdims": keep})
        for op in ("ArgMax", "ArgMin")
        for axis, keep in ((0, 1), (1, 0), (-1, 0))
    ),
    Case("ArgMax", (Spec("float32", (B, 4)),), {"axis": 1, "select_last_index": 1}, draw="binary"),
    *(
        Case(op, (f(*shape),), {"axis": axis})
        for op in ("Softmax", "LogSoftmax")
        for shape, axis in (((B, 4), -1), ((B, 4), 1), ((B, 2, 3), 1), ((2, 3, B, 2), 0), ((5,), 0))
    ),
    *(
        Case("CategoricalCrossentropy", (f(*shape), f(*shape)), draw="unit")
        for shape in ((B, 4), (B, 2, 3))
    ),
    *(Case("CTC", (f(B, time, 4), i32(B, 2))) for time in (5, "time")),
    *(
        Case("CumSum", (f(B, 3, 2), np.array(axis, np.int64)), {"exclusive": e, "reverse": r})
        for axis in (0, 1, -1)
        for e in (0, 1)
        for r in (0, 1)
    ),
    Case("CumSum", (i32(B, 3), np.array(1, np.int64))),
]
MATRICES = [
    *(
        Case("MatMul", (f(*a), f(*b)))
        for a, b in (
            ((B, 3), (3, 2)),
            ((3,), (3, 2)),
            ((B, 3), (3,)),
            ((3,), (3,)),
            ((B, 4, 3), (3, 2)),
            ((B, 4, 3), (B, 3, 2)),
            ((2, 3), (B, 3, 2)),
            ((B, 1, 2, 3), (4, 3, 2)),
            ((B, 4, 3), (3,)),
            ((3,), (B, 3, 2)),
        )
    ),
    Case("Gemm", (f(B, 3), f(3, 2))),
    Case("Gemm", (f(B, 3), f(3, 2), f(2))),
    Case("Gemm", (f(3, B), f(2, 3), f(2)), {"transA": 1, "transB": 1, "alpha": 0.5, "beta": 2.0}),
    Case("Gemm", (f(B, 3), f(2, 3), f(1)), {"transB": 1, "beta": 0.5}),
    Case("Gemm", (f(3, B), f(3, 2), f(B, 1)), {"transA": 1}),
]
SHAPES = [
    Case("Reshape", (f(B, 2, 3), ints(0, 6))),
    Case("Reshape", (f(B, 6), ints(-1, 3))),
    Case("Flatten", (f(B, 2, 3),)),
    Case("Flatten", (f(B, 2, 3),), {"axis": 2}),
    Case("Squeeze", (f(B, 1, 3), ints(1))),
    Case("Squeeze", (f(B, 1, 3, 1), ints(-1, 1))),
    Case("Unsqueeze", (f(B, 3), ints(0, -1))),
    Case("Transpose", (f(B, 2, 3),)),
    Case("Transpose", (f(B, 2, 3),), {"perm": (1, 2, 0)}),
    Case("Transpose", (f(B, 2, 3, 2),), {"perm": (3, 0, 2, 1)}),
    Case("Concat", (f(B, 2), f(B, 3)), {"axis": 1}),
    Case("Concat", (f(B, 2, 2), f(B, 1, 2), f(B, 3, 2)), {"axis": -2}),
    Case("Concat", (f(B, 2), f(B, 2)), {"axis": 0}),
    Case("Concat", (f(B, 2),), {"axis": 0}),
    Case("Split", (f(B, 6), ints(1, 3, 2)), {"axis": 1}, outputs=3),
    Case("Split", (f(B, 6),), {"axis": -1, "num_outputs": 2}, outputs=2),
    Case("Split", (f(B, 5),), {"axis": 1, "num_outputs": 2}, outputs=2),
    Case("Split", (f(6, B), ints(2, 4)), outputs=2),
    Case("Slice", (f(B, 5), ints(1), ints(4), ints(1))),
    Case("Slice", (f(B, 5), ints(1), ints(4), ints(1), ints(1))),
    Case("Slice", (f(B, 5), ints(-3), ints(99), ints(-1))),
    Case("Slice", (f(4, 5), ints(1, 0), ints(3, -1))),
    Case("Slice", (f(B, 5), ints(-1), ints(-(2**62)), ints(1), ints(-1))),
    Case("Slice", (f(B, 5), ints(-1), ints(-(2**62)), ints(0), ints(-1))),
    Case("Slice", (f(B, 7), ints(1), ints(6), ints(1), ints(2))),
    Case("Slice", (f(B, 7), ints(5), ints(0), ints(-1), ints(-2))),
    Case("Slice", (f("time", B, 2), ints(1, -1), ints(-1, 2**62), ints(0, 1))),
    Case("Slice", (f("time", 4), ints(-2), ints(-1), ints(-2))),
    Case("Concat", (f(B, "time", 2), f(B, 2, 2)), {"axis": 1}),
    Case("Slice", (f(4, 7, B), ints(3, 0), ints(0, 7), ints(0, 1), ints(-1, 3))),
    Case("Pad", (f(B, 3), ints(0, 1, 0, 2))),
    Case("Pad", (f(B, 3), ints(0, 1, 0, 2), np.float32(1.5))),
    Case("Pad", (f(B, 4), ints(0, -1, 0, 2))),
    Case("Pad", (f(B, 3, 2), ints(2, 1), None, ints(-2))),
    Case("Expand", (f(B, 1), ints(1, 3))),
    Case("Expand", (f(3), ints(2, 1))),
    Case("Shape", (f(B, 3),)),
    Case("Shape", (f(B, 3, 2),), {"start": 1, "end": -1}),
    Case("Size", (f(B, 3),)),
    Case("ConstantOfShape", (ints(2, 3),)),
]
NORMALIZATIONS = [
    *(
        Case("BatchNormalization", (f(*shape), *[f(3)] * 4), attrs, draw="positive")
        for shape, attrs in (
            ((B, 3), {}),
            ((B, 3), {"epsilon": 0.1}),
            ((B, 3, 2), {}),
            ((2, 3, B, 2), {"epsilon": 1e-3}),
        )
    ),
    Case("LayerNormalization", (f(B, 6), f(6), f(6))),
    Case("LayerNormalization", (f(B, 3), f(3))),
    Case("LayerNormalization", (f(B, 2, 3), f(2, 3), f(2, 3)), {"axis": 1, "epsilon": 0.1}),
    Case("LayerNormalization", (f(2, B, 4), f(4), f(4)), {"axis": 2, "epsilon": 1e-3}),
    Case("LayerNormalization", (f(B, "time", 4), f(1), f()), {"axis": -1}),
]
INDICES = [
    Case("Gather", (f(5, 3), i32(B)), high=5),
    Case("Gather", (f(5, 3), i64(B, 4)), high=5),
    Case("Gather", (f(B, 4), ints(3, 0, 3)), {"axis": 1}),
    Case("Gather", (f(2, 4, B), ints(-1, 0)), {"axis": 1}),
    Case("Gather", (f(2, B, 4), ints(-1, 0)), {"axis": -1}),
    Case("Gather", (f(4, 3), np.array(2, np.int64))),
    Case("GatherElements", (f(4, 3), i64(B, 3)), {"axis": 0}),
    Case("GatherElements", (f(B, 4), i64(B, 2)), {"axis": -1}),
    Case("ScatterND", (f(4, 3), np.array([[1], [3]], np.int64), f(2, 3))),
    Case("ScatterND", (f(4, 3), np.array([[1], [1]], np.int64), f(2, 3)), {"reduction": "add"}),
    Case("ScatterND", (f(4), np.array([[1], [-1]], np.int64), f(2)), {"reduction": "max"}),
    Case("OneHot", (i64(B), np.array(4, np.int64), np.array([0, 1], np.float32)), high=6),
    Case(
        "OneHot",
        (i32(B, 2), np.array(3, np.int32), np.array([-1, 2], np.float32)),
        {"axis": 1},
    ),
]


_LINEAR = {"mode": "linear", "axes": (2, 3), "coordinate_transformation_mode": "align_corners"}
_ADDED = {"axis": 1, "reduction": "add"}
_SMOOTH = ("Sin", "Cos", "Atan", "Sinh", "Cosh", "Asinh", "Celu", "HardSwish", "Mish", "Tan")
MATHEMATICS = [
    *(Case(op, (f(B, 3),)) for op in (*_SMOOTH, "ThresholdedRelu", "Ceil", "Round")),
    *(Case(op, (f(B, 3),), draw="unit") for op in ("Asin", "Acos", "Atanh")),
    Case("Acosh", (f(B, 3),), draw="above one"),
    Case("HardSwish", (f(B, 3),), draw="wide"),
    Case("Celu", (f(B, 3),), {"alpha": 2.0}, draw="wide"),
    Case("ThresholdedRelu", (f(B, 3),), {"alpha": 0.5}),
    Case("Mod", (f(B, 3), f(3)), {"fmod": 1}, draw="wide"),
    Case("Mod", (i32(B, 3), np.array([2, -3, 5], np.int32)), high=9),
    Case("IsNaN", (f(B, 3),)),
    Case("IsInf", (f(B, 3),)),
    Case("Xor", (boolean(B, 3), boolean(3))),
    *(Case(op, (i32(B, 3), i32(3)), high=9) for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")),
    Case("BitwiseNot", (i32(B, 3),)),
    Case("Hardmax", (f(B, 3),)),
    Case("Hardmax", (f(B, 3, 2),), {"axis": 1}),
    *(Case("LpNormalization", (f(B, 3, 2),), {"axis": 1, "p": p}) for p in (1, 2)),
    *(
        Case("Einsum", (f(*a), f(*b)), {"equation": equation})
        for a, b, equation in (
            ((B, 3), (3, 2), "ij,jk->ik"),
            ((B, 2, 3), (B, 4, 3), "bij,bkj->bik"),
            ((B,), (3,), "i,j->ij"),
        )
    ),
    Case("InstanceNormalization", (f(B, 3, 4), f(3), f(3))),
    Case("InstanceNormalization", (f(B, 2, 3, 2), f(2), f(2)), {"epsilon": 0.1}),
    Case("LRN", (f(B, 5, 2, 2),), {"size": 3, "alpha": 0.1}),
    Case("MeanVarianceNormalization", (f(2, 3, 2, B),), {"axes": (1, 2)}),
    Case("Det", (f(B, 3, 3),)),
    *(
        Case(op, (f(B, 3, 2),) if axes is None else (f(B, 3, 2), axes), {"keepdims": keep}, 1, draw)
        for op, draw in (
            ("ReduceL1", "any"),
            ("ReduceL2", "any"),
            ("ReduceSumSquare", "any"),
            ("ReduceLogSum", "positive"),
            ("ReduceLogSumExp", "any"),
            ("ReduceProd", "any"),
        )
        for axes in (None, ints(1), ints(0, -1))
        for keep in (0, 1)
    ),
]
REARRANGED = [
    Case("Tile", (f(2, 3), ints(2, 3))),
    Case("Compress", (f(B, 3), np.array([True, False, True])), {"axis": 1}),
    Case("ReverseSequence", (f(4, B, 2), i64(B)), high=4),
    Case("ReverseSequence", (f(B, 4, 2), i64(B)), {"batch_axis": 0, "time_axis": 1}, high=4),
    Case("Trilu", (f(B, 3, 3),)),
    Case("Trilu", (f(B, 3, 4), np.array(1, np.int64)), {"upper": 0}),
    *(Case("DepthToSpace", (f(B, 8, 2, 3),), {"blocksize": 2, "mode": m}) for m in ("DCR", "CRD")),
    Case("SpaceToDepth", (f(B, 2, 4, 6),), {"blocksize": 2}),
    *(
        Case("Resize", (f(B, 2, 3), None, np.array([1, 1, 2], np.float32)), {"mode": mode})
        for mode in ("nearest", "linear")
    ),
    Case("Resize", (f(B, 2, 4, 3), None, None, ints(2, 6)), _LINEAR),
    *(
        Case("Resize", (f(B, 1, 6, 4), None, np.array([1, 1, *s], np.float32)), attrs)
        for s, attrs in (
            ((2, 1.5), {"mode": "cubic"}),
            ((2, 2), {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1}),
            ((0.5, 0.5), {"mode": "linear", "antialias": 1}),
            ((0.5, 2), {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        )
    ),
    Case("Range", tuple(np.array(v, np.float32) for v in (1, 3, 0.5))),
    Case("EyeLike", (f(3, 4),), {"k": 1}),
    Case("TopK", (f(B, 5), ints(2)), outputs=2),
    Case("TopK", (f(4, B), ints(3)), {"axis": 0, "largest": 0}, outputs=2),
    Case("ScatterElements", (f(4, 3), np.array([[0, 3, 1]]), f(1, 3))),
    Case("ScatterElements", (f(2, 4), np.array([[1, 1], [0, -1]]), f(2, 2)), _ADDED),
    Case("GatherND", (f(4, 3), np.array([[1], [-1]]))),
    Case("GatherND", (f(4, 3), np.array([[1, 2], [3, 0]]))),
    Case("GatherND", (i32(2, 3, 2), np.array([[1], [0]])), {"batch_dims": 1}),
]


# Of each recurrent operator: gates, states, inputs.
RECURRENT_SHAPES = {"LSTM": (4, 2, 8), "GRU": (3, 1, 6), "RNN": (1, 1, 6)}


def _recurrent(
    op: str,
    time: int | str = 3,
    direction: str = "forward",
    bias: bool = True,
    states: bool = False,
    outputs: int | None = None,
    **attrs: Any,
) -> Case:
    gates, kept, _ = RECURRENT_SHAPES[op]
    units, d = 2, 2 if direction == "bidirectional" else 1
    state = f(d, B, units) if states else None
    return Case(
        op,
        (
            f(time, B, 3),
            f(d, gates * units, 3),
            f(d, gates * units, units),
            f(d, 2 * gates * units) if bias else None,
            None,
            *(state for _ in range(kept)),
        ),
        {"hidden_size": units, "direction": direction, **attrs},
        outputs=outputs or 1 + kept,
    )


RECURRENT = [
    *(
        _recurrent(op, direction=direction, bias=bias, states=states, **attrs)
        for op, attrs in (
            ("LSTM", {}),
            ("GRU", {}),
            ("GRU", {"linear_before_reset": 1}),
            ("RNN", {}),
        )
        for direction in ("forward", "reverse", "bidirectional")
        for bias, states in ((True, False), (False, True), (True, True), (False, False))
    ),
    *(
        case
        for op in RECURRENT_SHAPES
        for case in (
            _recurrent(op, time=1),
            _recurrent(op, time="time", direction="bidirectional", outputs=1),
            _recurrent(op, outputs=2),
        )
    ),
    _recurrent(
        "LSTM",
        activations=("HardSigmoid", "Relu", "Relu"),
        activation_alpha=(1 / 6,),
        activation_beta=(0.5,),
    ),
    _recurrent("LSTM", activations=("Sigmoid", "Softsign", "Tanh")),
    _recurrent(
        "LSTM",
        activations=("Sigmoid", "Affine", "Affine"),
        activation_alpha=(0.5, 1.0),
        activation_beta=(0.25, 0.0),
    ),
    _recurrent(
        "LSTM",
        direction="bidirectional",
        activations=("Sigmoid", "Tanh", "Relu", "HardSigmoid", "Softsign", "Tanh"),
        activation_alpha=(0.3,),
        activation_beta=(0.4,),
    ),
    _recurrent("LSTM", activations=("Tanh", "Sigmoid", "Sigmoid")),
    *(
        _recurrent("GRU", activations=functions, linear_before_reset=after)
        for functions in (("HardSigmoid", "Softsign"), ("Tanh", "Sigmoid"))
        for after in (0, 1)
    ),
    _recurrent("RNN", direction="bidirectional", activations=("Sigmoid", "Softplus")),
    *(
        _recurrent("RNN", activations=(name,), activation_alpha=(0.3,))
        for name in ("Elu", "LeakyRelu")
    ),
]

WINDOWS = [
    *(
        Case(
            "Conv",
            (f(B, 2, *sizes), f(4, 2 // attrs.get("group", 1), *kernel), *bias),
            attrs,
            draw="unit",
        )
        for sizes, kernel, attrs in (
            ((7,), (3,), {}),
            ((7,), (3,), {"strides": (2,), "pads": (1, 2)}),
            ((8,), (2,), {"dilations": (3,), "group": 2}),
            ((5, 6), (3, 2), {}),
            ((5, 6), (1, 1), {}),
            ((5, 6), (3, 2), {"pads": (1, 0, 2, 1), "group": 2}),
            ((5, 6), (2, 3), {"strides": (2, 3), "pads": (1, 1, 0, 1)}),
            ((6, 7), (2, 3), {"strides": (3, 2), "auto_pad": "SAME_UPPER"}),
            ((6, 7), (2, 3), {"strides": (1, 2), "auto_pad": "SAME_LOWER"}),
            ((6, 7), (2, 3), {"strides": (2, 2), "auto_pad": "VALID"}),
            ((4, 5, 3), (2, 2, 2), {"dilations": (2, 1, 1)}),
        )
        for bias in ((), (f(4),))
    ),
    Case("Conv", (f(B, 3, 5, 5), f(3, 1, 3, 3)), {"group": 3, "pads": (1, 1, 1, 1)}),
    Case("Conv", (f(B, 3, 5, 6), f(6, 1, 3, 2), f(6)), {"group": 3, "strides": (2, 2)}),
    Case("Conv", (f(B, 2, "time"), f(3, 2, 2)), {"pads": (1, 0)}),
    *(
        Case("ConvTranspose", (f(B, 4, *sizes), f(4, 3, *kernel), *bias), attrs, draw="unit")
        for sizes, kernel, attrs in (
            ((5,), (3,), {}),
            ((5,), (3,), {"strides": (2,), "pads": (1, 0), "output_padding": (1,)}),
            ((4,), (2,), {"dilations": (3,), "group": 2}),
            ((3, 4), (3, 2), {"strides": (2, 3)}),
            ((3, 4), (2, 2), {"pads": (1, 0, 0, 1), "group": 2}),
            ((3, 3), (3, 3), {"strides": (2, 2), "auto_pad": "SAME_UPPER"}),
        )
        for bias in ((), (f(3 * attrs.get("group", 1)),))
    ),
    Case("ConvTranspose", (f(B, 6, 3, 4), f(6, 1, 2, 3)), {"group": 3, "strides": (2, 1)}),
    *(
        Case("MaxPool", (f(B, 2, *sizes),), attrs)
        for sizes, attrs in (
            ((7,), {"kernel_shape": (2,), "strides": (2,)}),
            ((6, 7), {"kernel_shape": (2, 2), "strides": (2, 2)}),
            ((6, 7), {"kernel_shape": (3, 2)}),
            ((6, 7), {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)}),
            ((6, 7), {"kernel_shape": (3, 3), "strides": (2, 2), "ceil_mode": 1}),
            ((6, 7), {"kernel_shape": (2, 3), "strides": (2, 2), "auto_pad": "SAME_UPPER"}),
            ((6, 7), {"kernel_shape": (2, 3), "dilations": (2, 1)}),
        )
    ),
    *(
        Case(op, (f(*shape),))
        for op in ("GlobalAveragePool", "GlobalMaxPool")
        for shape in ((B, 2, 3, 4), (2, B, "time"))
    ),
    *(
        Case("AveragePool", (f(B, 2, *sizes),), attrs)
        for sizes, attrs in (
            ((7,), {"kernel_shape": (2,), "strides": (2,)}),
            ((6, 7), {"kernel_shape": (2, 2), "strides": (3, 2)}),
            ((5, 5), {"kernel_shape": (3, 3), "strides": (2, 2), "pads": (1, 1, 1, 1)}),
            ((5, 5), {"kernel_shape": (3, 2), "pads": (1, 1, 1, 0), "count_include_pad": 1}),
            ((6, 7), {"kernel_shape": (3, 3), "strides": (2, 2), "ceil_mode": 1}),
            ((6, 7), {"kernel_shape": (2, 3), "strides": (2, 2), "auto_pad": "SAME_UPPER"}),
        )
    ),
]

CASES = [
    *(*UNARY, *BINARY, *REDUCTIONS, *MATRICES),
    *(*NORMALIZATIONS, *SHAPES, *INDICES, *RECURRENT, *MATHEMATICS, *REARRANGED),
    *WINDOWS,
]
