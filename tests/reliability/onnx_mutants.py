"""ONNX files with something wrong in them: seeds of many kinds, and what chance does to them.

A mutant is made in one of two ways: of the message, where any field of any part becomes another
value of its kind, one from elsewhere, several, or none; or of the bytes.
"""

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor
from onnx import TensorProto, helper, numpy_helper

from studio.engine.operator import table
from tests.reliability.table_mutants import damaged

F, INT = TensorProto.FLOAT, TensorProto.INT64
_WHOLE = (0, 1, -1, 2, 3, 7, 16, 255, 2**31 - 1, -(2**31), 2**62, 2**63 - 1, -(2**63))
_REAL = (0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"))
_TEXT = ("", "x", "y", "W", "../a", "\0", "名", "same_upper", "then_branch", "a" * 300)


def file(
    nodes: list[onnx.NodeProto],
    arrays: dict[str, np.ndarray] | None = None,
    opset: int = 18,
    sizes: tuple[object, ...] = ("N", 3),
    functions: tuple[onnx.FunctionProto, ...] = (),
    rank: int = 2,
) -> onnx.ModelProto:
    """A file with an input ``x``, an output ``y`` and these arrays."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", F, sizes)],
        [helper.make_tensor_value_info("y", F, ["A", "B", "C"][:rank])],
        [numpy_helper.from_array(a, n) for n, a in (arrays or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    opsets += [helper.make_opsetid(f.domain, 1) for f in functions]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=8)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


N = helper.make_node


def dense(opset: int = 18) -> onnx.ModelProto:
    nodes = [
        N("MatMul", ["x", "W"], ["a"]),
        N("Add", ["a", "b"], ["c"]),
        N("Relu", ["c"], ["d"]),
        N("Gemm", ["d", "W2", "b2"], ["e"], transB=1, alpha=0.5),
        N("Softmax", ["e"], ["y"], axis=1),
    ]
    return file(
        nodes, {"W": numbers(3, 4), "b": numbers(4), "W2": numbers(2, 4), "b2": numbers(2)}, opset
    )


def convolution() -> onnx.ModelProto:
    nodes = [
        N("Conv", ["x", "K", "b"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3]),
        N("BatchNormalization", ["a", "s", "t", "m", "v"], ["c"], epsilon=1e-3),
        N("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        N("AveragePool", ["d"], ["e"], kernel_shape=[1, 1], count_include_pad=1),
        N("ConvTranspose", ["e", "K2"], ["f"], strides=[2, 2], output_padding=[1, 1]),
        N("Resize", ["f", "", "scales"], ["g"], mode="nearest"),
        N("LRN", ["g"], ["h"], size=3),
        N("GlobalAveragePool", ["h"], ["i"]),
        N("Flatten", ["i"], ["y"], axis=1),
    ]
    arrays = {"K": numbers(4, 2, 3, 3), "b": numbers(4), "K2": numbers(4, 2, 2, 2)}
    arrays |= {n: np.abs(numbers(4)) for n in "stmv"}
    arrays["scales"] = np.array([1, 1, 2, 2], np.float32)
    return file(nodes, arrays, sizes=("N", 2, 8, 8))


def recurrent() -> onnx.ModelProto:
    nodes = [
        N("Transpose", ["x"], ["a"], perm=[1, 0, 2]),
        N("LSTM", ["a", "W", "R", "B"], ["b", "h"], hidden_size=4, direction="forward"),
        N("Squeeze", ["b", "one"], ["c"]),
        N("GRU", ["c", "W2", "R2"], ["", "d"], hidden_size=2, linear_before_reset=1),
        N("Squeeze", ["d", "zero"], ["y"]),
    ]
    arrays = {"W": numbers(1, 16, 3), "R": numbers(1, 16, 4), "B": numbers(1, 32)}
    arrays |= {"W2": numbers(1, 6, 4), "R2": numbers(1, 6, 2)}
    arrays |= {"one": np.array([1]), "zero": np.array([0])}
    return file(nodes, arrays, sizes=("N", "T", 3))


def shapes() -> onnx.ModelProto:
    """Sizes worked out as the file runs."""
    nodes = [
        N("Shape", ["x"], ["s"]),
        N("Gather", ["s", "zero"], ["n"], axis=0),
        N("Concat", ["n", "rest"], ["to"], axis=0),
        N("Reshape", ["x", "to"], ["a"], allowzero=0),
        N("Slice", ["a", "zero", "two", "one"], ["b"]),
        N("Pad", ["b", "pads"], ["c"], mode="reflect"),
        N("Tile", ["c", "times"], ["d"]),
        N("ConstantOfShape", ["two"], ["e"], value=numpy_helper.from_array(np.ones(1, "f"))),
        N("Expand", ["e", "two"], ["f"]),
        N("ReduceSum", ["d", "one"], ["g"], keepdims=0),
        N("Unsqueeze", ["g", "one"], ["h"]),
        N("Range", ["z", "k", "i"], ["r"]),
        N("OneHot", ["r", "k", "onoff"], ["o"], axis=-1),
        N("TopK", ["h", "one"], ["t", "at"], axis=-1),
        N("Split", ["t", "one"], ["u"], axis=-1),
        N("Where", ["w", "u", "u"], ["v"]),
        N("CumSum", ["v", "i"], ["y"]),
    ]
    arrays: dict[str, np.ndarray] = {"zero": np.array([0]), "one": np.array([1])}
    arrays |= {"two": np.array([2]), "rest": np.array([3, 1]), "times": np.array([1, 2, 1])}
    arrays |= {"pads": np.array([0, 0, 0, 0, 0, 0]), "z": np.array(0), "k": np.array(3)}
    arrays |= {"i": np.array(1), "onoff": np.array([0, 1], np.float32), "w": np.array([True])}
    return file(nodes, arrays, rank=2)


def branches() -> onnx.ModelProto:
    value = [helper.make_tensor_value_info("z", F, ["A", "B"])]
    then = helper.make_graph([N("Relu", ["x"], ["z"])], "then", [], value)
    otherwise = helper.make_graph([N("Neg", ["x"], ["z"])], "else", [], value)
    inputs = [
        helper.make_tensor_value_info("i", INT, []),
        helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        helper.make_tensor_value_info("v", F, ["A", "B"]),
    ]
    outputs = [
        helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
        helper.make_tensor_value_info("v2", F, ["A", "B"]),
        helper.make_tensor_value_info("p", F, [1, 1]),
    ]
    inside = [
        N("Identity", ["c"], ["c2"]),
        N("Add", ["v", "W"], ["v2"]),
        N("ReduceSum", ["v2"], ["p"]),
    ]
    body = helper.make_graph(inside, "body", inputs, outputs)
    nodes = [
        N("If", ["yes"], ["a"], then_branch=then, else_branch=otherwise),
        N("Loop", ["three", "yes", "a"], ["b", "q"], body=body),
        N("Mul", ["b", "b"], ["y"]),
    ]
    arrays = {"yes": np.array(True), "three": np.array(3), "W": numbers(3)}
    return file(nodes, arrays)


def functions() -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    inner = helper.make_function(
        "own", "Twice", ["a"], ["b"], [N("Add", ["a", "a"], ["b"])], opsets
    )
    nodes = [N("Twice", ["a"], ["c"], domain="own"), N("Relu", ["c"], ["b"])]
    outer = helper.make_function("own", "Outer", ["a"], ["b"], nodes, opsets)
    told = [N("MatMul", ["x", "W"], ["h"]), N("Outer", ["h"], ["y"], domain="own")]
    return file(told, {"W": numbers(3, 3)}, functions=(inner, outer))


def traced() -> onnx.ModelProto:
    """Made for one sample."""
    nodes = [
        N("MatMul", ["x", "W"], ["a"]),
        N("Reshape", ["a", "to"], ["b"]),
        N("LayerNormalization", ["b", "s"], ["c"], axis=-1),
        N("Gelu", ["c"], ["y"], approximate="tanh"),
    ]
    arrays = {"W": numbers(3, 4), "to": np.array([1, 2, 2]), "s": numbers(2)}
    return file(nodes, arrays, opset=20, sizes=(1, 3), rank=3)


def attention() -> onnx.ModelProto:
    nodes = [
        N("Einsum", ["x", "W"], ["q"], equation="ntd,de->nte"),
        N("Transpose", ["q"], ["k"], perm=[0, 2, 1]),
        N("MatMul", ["q", "k"], ["s"]),
        N("Softmax", ["s"], ["p"], axis=-1),
        N("MatMul", ["p", "q"], ["c"]),
        N("GatherElements", ["c", "at"], ["g"], axis=2),
        N("ScatterND", ["c", "where", "new"], ["d"]),
        N("ReduceL2", ["d"], ["e"], axes=[1], keepdims=1),
        N("Clip", ["e", "low", "high"], ["y"]),
    ]
    arrays: dict[str, np.ndarray] = {"W": numbers(3, 3), "at": np.zeros((2, 4, 1), np.int64)}
    arrays |= {"where": np.array([[0, 0]]), "new": numbers(1, 3)}
    arrays |= {"low": np.array(0, np.float32), "high": np.array(9, np.float32)}
    return file(nodes, arrays, opset=17, sizes=(2, 4, 3), rank=3)


SEEDS: tuple[Callable[[], onnx.ModelProto], ...] = (
    *(dense, convolution, recurrent, shapes, branches, functions, traced, attention),
)


@cache
def _seeds() -> tuple[bytes, ...]:
    found = [make().SerializeToString() for make in SEEDS]
    return (*found, *(dense(n).SerializeToString() for n in (7, 11, 13, 22)))


@cache
def _operators() -> tuple[str, ...]:
    return (*sorted(table()), "If", "Loop", "Scan", "Constant", "Dropout", "NonZero", "Magic")


def mutant(seed: int) -> bytes:
    """The mutant of this number."""
    chance = random.Random(seed)
    data = chance.choice(_seeds())
    if chance.random() < 0.2:
        return damaged(chance, bytearray(data))
    return changed(chance, data)


def changed(chance: random.Random, data: bytes) -> bytes:
    """A model in which some fields are something else."""
    model = onnx.ModelProto.FromString(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        messages = list(_within(model))
        _change(chance, chance.choice(messages), messages)
    return model.SerializeToString()


def _within(message: Any) -> Iterator[Any]:
    """A message and those it is made of."""
    yield message
    for about, value in message.ListFields():
        if about.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in value if about.is_repeated else [value]:
                yield from _within(inner)


def _change(chance: random.Random, message: Any, others: list[Any]) -> None:
    told = message.ListFields()
    anything = not told or chance.random() < 0.1
    about = chance.choice(message.DESCRIPTOR.fields) if anything else chance.choice(told)[0]
    if not about.is_repeated:
        _change_one(chance, message, about, others)
        return
    values = getattr(message, about.name)
    match chance.randrange(4):
        case 0 if len(values):
            del values[chance.randrange(len(values))]
        case 1 if len(values):
            again = list(values)
            chance.shuffle(again)
            _set(values, about, again)
        case 2 if len(values):
            _set(values, about, [*values, *values])
        case _:
            if about.type == FieldDescriptor.TYPE_MESSAGE:
                alike = [m for m in others if about.message_type == m.DESCRIPTOR]
                values.append(chance.choice(alike)) if alike else values.add()
            else:
                kept = list(values)
                new = _value(chance, message, about)
                if kept and chance.random() < 0.8:
                    kept[chance.randrange(len(kept))] = new
                else:
                    kept.append(new)
                _set(values, about, kept)


def _set(values: Any, about: FieldDescriptor, new: list[Any]) -> None:
    copies = [type(v).FromString(v.SerializeToString()) for v in new] if about.message_type else new
    del values[:]
    values.extend(copies)


def _change_one(chance: random.Random, message: Any, about: Any, others: list[Any]) -> None:
    if chance.random() < 0.2:
        message.ClearField(about.name)
    elif about.type == FieldDescriptor.TYPE_MESSAGE:
        alike = [m for m in others if about.message_type == m.DESCRIPTOR]
        if alike:
            copy = type(alike[0]).FromString(chance.choice(alike).SerializeToString())
            getattr(message, about.name).CopyFrom(copy)
    else:
        setattr(message, about.name, _value(chance, message, about))


def _value(chance: random.Random, message: Any, about: Any) -> Any:
    match about.type:
        case FieldDescriptor.TYPE_FLOAT | FieldDescriptor.TYPE_DOUBLE:
            return chance.choice(_REAL)
        case FieldDescriptor.TYPE_STRING:
            return _text(chance, message, about)
        case FieldDescriptor.TYPE_BYTES:
            if about.name == "raw_data":
                data = bytearray(message.raw_data or b"\0\0\0\0")
                data[chance.randrange(len(data))] = chance.randrange(256)
                return bytes(data[: chance.choice((len(data), len(data), len(data) // 2))])
            return chance.choice(
                (b"", b"forward", b"reverse", b"SAME_UPPER", b"\xff", b"ij,jk->ik")
            )
        case FieldDescriptor.TYPE_ENUM:
            return chance.choice(about.enum_type.values).number
    low = -(2**31) if about.type == FieldDescriptor.TYPE_INT32 else -(2**63)
    unsigned = about.type in (FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_UINT32)
    least, most = (0, 2**63) if unsigned else (low, -low - 1)
    return min(max(chance.choice(_WHOLE), least), most)


def _text(chance: random.Random, message: Any, about: Any) -> str:
    if about.name == "op_type":
        return chance.choice(_operators())
    if about.name == "name" and isinstance(message, onnx.AttributeProto):
        names = ("axis", "axes", "perm", "to", "value", "kernel_shape", "strides", "dilations")
        return chance.choice((*names, "group", "pads", "auto_pad", "hidden_size", "body"))
    return chance.choice((*_TEXT, "a", "b", "c", "d", "one", "zero"))
