"""Where the parts of a step are on the canvas: of each node and weight the call it belongs to."""

from collections.abc import Mapping
from typing import Any

from studio.document.model import Document, Endpoint, Path
from studio.document.nesting import names_at
from studio.train.step import Step


class Places:
    """The calls that the nodes and weights of a step belong to.

    What is given are parts of `studio.train.events.Hit`: place, layer, weight, output.
    """

    def __init__(self, document: Document, step: Step) -> None:
        self._document, self._step = document, step
        self._writers = {
            name: number
            for number, node in enumerate(step.program.nodes)
            for name in node.outputs
            if name
        }

    def named(self, path: Path) -> dict[str, Any]:
        """A call, with the names of its layer and of the models around it."""
        if not path:
            return {}
        return {"place": path, "layer": "/".join(names_at(self._document, path))}

    def of_weight(self, state: str) -> dict[str, Any]:
        """A weight, by its state's name; nothing where it is none."""
        step = self._step
        if state not in step.variables:
            return {}
        about = self.named(step.origins.homes.get(state, ()))
        return {**about, "weight": step.variables[state].weight.name}

    def of_output(self, key: str) -> dict[str, Any]:
        """An output, by its endpoint's key."""
        return {**self.named((_endpoint(self._document, key).call,)), "output": key}

    def of_node(self, number: int) -> dict[str, Any]:
        """The call that a node of the forward pass was made from, or the output of a loss's."""
        origins = self._step.origins
        if 0 <= number < origins.losses:
            around = [path for first, end, path in origins.spans if first <= number < end]
            return self.named(max(around, key=len, default=()))
        return self._of_loss(number) if 0 <= number < origins.gradient else {}

    def _of_loss(self, number: int) -> dict[str, Any]:
        """Of a node of the losses: the output's; of one that regularizes, whose it is."""
        node = self._step.program.nodes[number]
        for key, name in self._step.losses.items():
            stem = name.rpartition("/")[0]
            if _endpoint(self._document, key).call == node.source and (
                node.outputs[0].rpartition("/")[0] == stem
            ):
                return self.of_output(key)
        for name in node.inputs:
            if name in self._step.variables:
                return self.of_weight(name)
            behind = self._writers.get(name, -1)
            if name and behind >= 0 and not node.source and (found := self.of_node(behind)):
                return found
        return {}

    def values(self, path: Path) -> list[str]:
        """The names of what leaves a call."""
        values: Mapping[tuple[Path, str], str] = self._step.origins.values
        return [name for (place, _), name in values.items() if place == path]


def _endpoint(document: Document, key: str) -> Endpoint:
    return next(e for e in document.graph.outputs if e.key == key)
