"""Documents with absurd numbers: in the shapes of Inputs, and in every parameter that counts."""

import json
import random
import signal
import sys
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.declare import Param, clear_session, declared
from studio.document import edits, sharing
from studio.document.analysis import analyse
from studio.document.cost import Costs
from studio.document.lowering import lower
from studio.document.model import CallId, Document, Endpoint
from studio.document.summary import summary
from studio.layers import CATALOGUE
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.layers.time_distributed import TimeDistributed
from studio.losses import BinaryCrossentropy, CategoricalCrossentropy, MeanSquaredError
from studio.problem import ProblemError
from studio.train.estimate import planned_estimator, verdict
from tests.reliability.peak import forget_peak, peak

HUGE = (
    *(2**power for power in (16, 20, 24, 28, 31, 32, 33, 40, 48, 53, 60, 62, 63, 64, 65, 100)),
    *(2**31 - 1, 2**32 + 1, 2**61 - 1, 2**63 - 1, 3037000500, 10**9, 10**12, 10**18, 10**30),
    *(46341, 65537, 99991),
)
LOSSES = (MeanSquaredError(), BinaryCrossentropy(), CategoricalCrossentropy(), None)
KINDS = [kind for kind in CATALOGUE if kind not in ("Input", "TimeDistributed", "OnnxModel")]


class Giant:
    """Draws a document; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.document = Document()
        self.ends: list[CallId] = []
        self.kinds: list[str] = []
        self.share = self.draw.choice((0.1, 0.3, 0.6))  # of numbers that are absurd

    def drawn(self) -> Document:
        for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
            self._layer(self.draw.choice(KINDS))
        for call in self.ends[-2:]:
            for port in self.document.ports(self.document.entry(call))[1]:
                end = Endpoint(call, port.name)
                self.document = edits.mark_output(self.document, end)
                loss = self.draw.choice(LOSSES)
                self.document = edits.plan_output(self.document, end, loss=loss)
        self.document = edits.set_run(self.document, batch_size=self.draw.choice((1, 32, *HUGE)))
        return self.document

    def _layer(self, kind: str) -> None:
        example = self.draw.choice(declared("layers", kind).examples)
        params = dict(example.params)
        for p in declared("layers", kind).params():
            chance = self.share * (1 if p.name in params else 0.3)
            if self.draw.random() < chance:
                params[p.name] = self._inflated(p, params.get(p.name, p.default))
        try:
            body = declared("layers", kind)(**params)
        except ProblemError:
            return
        assert isinstance(body, Layer)
        self.kinds.append(kind)
        self.document, call = edits.add_layer(self.document, body)
        ports = self.document.ports(self.document.entry(call))[0]
        for number, spec in enumerate(example.inputs):
            if self.ends and self.draw.random() < 0.4:
                source = self.draw.choice(self.ends)
            else:
                source = self._input(spec.shape[1:], spec.dtype)
            port = ports[min(number, len(ports) - 1)].name
            leaving = self.document.ports(self.document.entry(source))[1]
            start = Endpoint(source, leaving[0].name)
            self.document = edits.connect(self.document, start, Endpoint(call, port))
        if self.draw.random() < 0.1:
            with suppress(ProblemError):
                self.document = sharing.wrap(self.document, call, TimeDistributed())
        self.ends.append(call)

    def _input(self, shape: tuple[Any, ...], dtype: str) -> CallId:
        sizes = [None if isinstance(d, str) else d for d in shape]
        sizes = [self._huge() if self.draw.random() < self.share / 2 else d for d in sizes]
        body = Input(shape=tuple(sizes), dtype=dtype if dtype != "bool" else "float32")
        self.document, call = edits.add_layer(self.document, body)
        return call

    def _huge(self) -> int:
        return self.draw.choice(HUGE) + self.draw.choice((0, 0, 0, -1, 1))

    def _inflated(self, p: Param, value: Any) -> Any:
        if isinstance(value, bool) or not ("int" in p.type or "float" in p.type):
            return value
        if isinstance(value, tuple):
            return tuple(
                self._huge() if isinstance(v, int) and self.draw.random() < 0.7 else v
                for v in value
            )
        return self._huge() if isinstance(value, int) or value is None else value


# -- in a process of its own ---------------------------------------------------------------------

SECONDS = 4.0  # of the processor, for all that is done with a document
BYTES = 2**28  # that it may grow by meanwhile


def outcome(document: Document) -> str:
    """Everything the window and the command line do before they train, done with a document."""
    analysis = analyse(document)
    for problem in analysis.problems:
        assert not str(problem).startswith("problems."), problem.code
    Costs(document, analysis, 100).calls()
    summary(document)
    wrong = [p for p in analysis.errors if p not in analysis.training]
    for training in (False, True):
        with suppress(ProblemError):
            lower(document, training)
    try:
        estimator = planned_estimator(document)
        found = estimator.planned(document)
        if problem := verdict(document, found, estimator):
            return problem.code
    except ProblemError as error:
        untold = [p.code for p in error.problems if str(p).startswith("problems.")]
        if untold:
            raise KeyError(untold) from error
        return wrong[0].code if wrong else error.problems[0].code
    return "estimated"


def main(first: int, last: int) -> None:
    """A JSON line for each document with which something else happened, and one that counts."""
    import resource

    def told(seed: int, **what: Any) -> None:
        print(json.dumps({"seed": seed, **what}), flush=True)

    def too_long(*_: Any) -> None:
        raise TimeoutError

    for seed in range(20):  # what is loaded once is no document's
        with suppress(Exception):
            outcome(Giant(seed).drawn())
    space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (space + 2**30, space + 2**30))
    signal.signal(signal.SIGVTALRM, too_long)
    outcomes = Counter[str]()
    for seed in range(first, last):
        clear_session()
        before = forget_peak()
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            outcomes[outcome(Giant(seed).drawn())] += 1
        except ProblemError as error:
            outcomes[error.problems[0].code] += 1
        except (Exception, MemoryError) as error:
            told(seed, error="".join(traceback.format_exception(error)))
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if (grown := peak() - before) > BYTES:
            told(seed, grown=grown)
    print(json.dumps({"documents": last - first, "outcomes": outcomes.most_common()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
