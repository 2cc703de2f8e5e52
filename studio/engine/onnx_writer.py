"""Program → ONNX: the bytes of a ModelProto that any ONNX runtime reads.

One of the three modules that touch protobuf; `onnx_reader` reads, and `shapes` asks onnx for output
shapes.

Q: Where do operators go that ONNX does not define?
A: Their body, in standard operators, becomes a model-local function in the domain ``layerloom``.
   A function has no types of its own, but its constants do, so equal bodies share one function
   and a body that differs (another dtype, another axis) gets a number behind its name.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper

from studio.engine.builder import Builder
from studio.engine.operator import DOMAIN, Operator, operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import IR_VERSION, OPSET, Array, Node, Program, Spec
from studio.engine.shapes import make_node
from studio.limits import ONNX_BYTES
from studio.problem import Problem, ProblemError, refuse


def to_onnx(
    program: Program,
    state: Mapping[str, Array] | None = None,
    *,
    name: str = "model",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    defaults: Mapping[str, Array] | None = None,
    metadata: Mapping[str, str] | None = None,
    doc: str = "",
) -> bytes:
    """The program as a serialized ModelProto, opset 18, IR 9.

    Args:
        program: what to write. Sizes that are names ("batch") stay names.
        state: values of states. A state that is only read and has a value becomes an initializer;
            any other becomes an input, followed by an output where it is written.
        name: of the graph.
        inputs: other names for the program's inputs, in order; states keep theirs.
        outputs: other names for the program's outputs, in order.
        defaults: what inputs and states are, by their name in the program, where nobody feeds them.
        metadata: key → text, kept in the file.
        doc: what the model is, in a sentence.

    Raises:
        ProblemError: ``operator_not_in_onnx``, ``model_too_large``.
        ValueError: two inputs or outputs would have one name.
    """
    writer = _Writer(program, state or {}, inputs, outputs, defaults or {})
    return writer.model(name, metadata or {}, doc)


def state_outputs(program: Program) -> dict[str, str]:
    """What `to_onnx` calls the new value of each state that is written, by the state's name."""
    return {s.input: f"{s.input}:next" for s in program.state if s.output != s.input}


def check_onnx(data: bytes) -> dict[str, int]:
    """How many nodes of each operator a file has, after onnx's own checker saw all of it.

    Raises:
        ProblemError: ``onnx_invalid``, with the checker's words.
    """
    try:
        onnx.checker.check_model(data, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise refuse("onnx_invalid", reason=str(error).strip()) from error
    model = onnx.load_from_string(data)
    return dict(Counter(node.op_type for node in model.graph.node))


@dataclass
class _Writer:
    program: Program
    given: Mapping[str, Array]
    input_names: Sequence[str]
    output_names: Sequence[str]
    defaults: Mapping[str, Array]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    functions: dict[bytes, onnx.FunctionProto] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # of the program → in the file

    def model(self, name: str, metadata: Mapping[str, str], doc: str) -> bytes:
        program = self.program
        initializers = self._initializers()
        inputs, outputs = self._interface(initializers)
        for value, array in self.defaults.items():
            initializers[value] = np.asarray(array, program.specs[value].dtype)
        size = sum(array.nbytes for array in initializers.values())
        if size > ONNX_BYTES:
            raise ProblemError(
                Problem("model_too_large", args={"received": size, "expected": ONNX_BYTES})
            )
        for node in program.nodes:
            self.nodes.append(self._node(node))
        outlets = [self._outlet(value, wanted) for value, wanted in outputs]
        graph = helper.make_graph(
            self.nodes,
            name,
            [_value_info(self._name(value), program.specs[value]) for value in inputs],
            outlets,
            [numpy_helper.from_array(a, self._name(n)) for n, a in initializers.items()],
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if self.functions:
            opsets.append(helper.make_opsetid(DOMAIN, 1))
        model = helper.make_model(
            graph,
            functions=list(self.functions.values()),
            opset_imports=opsets,
            ir_version=IR_VERSION,
            producer_name="layerloom",
            doc_string=doc,
        )
        helper.set_model_props(model, dict(metadata))
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    # -- names ----------------------------------------------------------------------------------

    def _initializers(self) -> dict[str, Array]:
        """Constants somebody reads, and the given values of states that are only read."""
        read = {name for node in self.program.nodes for name in node.inputs}
        read |= set(self.program.results())
        found = {name: a for name, a in self.program.consts.items() if name in read}
        for state in self.program.state:
            if state.input in self.given and state.output == state.input and state.input in read:
                spec = self.program.specs[state.input]
                found[state.input] = np.asarray(self.given[state.input], spec.dtype)
        return found

    def _interface(
        self, initializers: Mapping[str, Array]
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """What goes in, and what comes out under which name; every other name makes way."""
        program = self.program
        nexts = state_outputs(program)
        fed = [s.input for s in program.state if s.input in nexts or s.input not in self.given]
        shown = list(self.output_names or program.outputs)
        outputs = list(zip(program.outputs, shown, strict=True))
        outputs += [(s.output, nexts[s.input]) for s in program.state if s.input in nexts]
        renamed = dict(zip(program.inputs, self.input_names or program.inputs, strict=True))
        taken = [*renamed.values(), *fed, *(wanted for _, wanted in outputs)]
        if len(set(taken)) != len(taken):
            twice = sorted({n for n in taken if taken.count(n) > 1})
            raise ValueError(f"two inputs or outputs are called {', '.join(twice)}")
        self.names = {**renamed, **{name: name for name in fed}}
        written = program.writers()
        for value, wanted in outputs:
            if value in written and value not in self.names:
                self.names[value] = wanted
        reserved = set(taken)
        for value in (*initializers, *written):
            if value not in self.names:
                self.names[value] = _free(value, reserved)
        return [*program.inputs, *fed], outputs

    def _name(self, value: str) -> str:
        return self.names[value] if value else ""

    def _outlet(self, value: str, wanted: str) -> onnx.ValueInfoProto:
        """An output; one that is an input, a constant or another output is copied by Identity."""
        if self.names[value] != wanted:
            self.nodes.append(
                helper.make_node("Identity", [self.names[value]], [wanted], name=f"{wanted}/copy")
            )
        return _value_info(wanted, self.program.specs[value])

    # -- nodes ----------------------------------------------------------------------------------

    def _node(self, node: Node) -> onnx.NodeProto:
        rule = operator(node.op)
        inputs = [self._name(name) for name in node.inputs]
        outputs = [self._name(name) for name in node.outputs]
        title = next(name for name in node.outputs if name)
        if rule.standard:
            return make_node(node.op, _trimmed(inputs), _trimmed(outputs), node.attrs, title)
        wanted = [name for name in outputs if name]
        return helper.make_node(self._function(rule, node), inputs, wanted, title, domain=DOMAIN)

    def _function(self, rule: Operator, node: Node) -> str:
        """The name of the function that means this node, written when first needed.

        It gives the wanted outputs only, so what others would cost is not in it.
        """
        if rule.body is None:
            raise ProblemError(Problem("operator_not_in_onnx", node.source, {"operator": node.op}))
        body = Builder()
        values = [
            body.input(f"x{i}", self.program.specs[name]) if name else None
            for i, name in enumerate(node.inputs)
        ]
        results = rule.body(body, *values, **node.attrs)
        wanted = [
            v for v, name in zip(results, node.outputs, strict=False) if name and v is not None
        ]
        function = _function_proto(node, eliminate_dead(body.program(wanted)))
        key = function.SerializeToString(deterministic=True)
        if key not in self.functions:
            stems = [re.sub(r"_\d+$", "", other.name) for other in self.functions.values()]
            count = stems.count(node.op)
            function.name = f"{node.op}_{count}" if count else node.op
            self.functions[key] = function
        return self.functions[key].name


def _function_proto(node: Node, body: Program) -> onnx.FunctionProto:
    constants = [
        helper.make_node("Constant", [], [name], name, value=numpy_helper.from_array(array))
        for name, array in body.consts.items()
    ]
    nodes = [
        make_node(inner.op, inner.inputs, inner.outputs, inner.attrs, inner.outputs[0])
        for inner in body.nodes
    ]
    return helper.make_function(
        DOMAIN,
        node.op,
        [f"x{i}" for i in range(len(node.inputs))],
        list(body.outputs),
        [*constants, *nodes],
        [helper.make_opsetid("", OPSET)],
    )


def _trimmed(names: Sequence[str]) -> list[str]:
    """Without absent names at the end."""
    kept = list(names)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _free(name: str, reserved: set[str]) -> str:
    fresh, number = name, 1
    while fresh in reserved:
        fresh, number = f"{name}/{number}", number + 1
    reserved.add(fresh)
    return fresh


def _value_info(name: str, spec: Spec) -> onnx.ValueInfoProto:
    number = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    shape = [None if dim == "?" else dim for dim in spec.shape]
    return helper.make_tensor_value_info(name, number, shape)
