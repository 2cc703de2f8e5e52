"""What a document's data looks like: its table, what is wrong, what each port would receive.

Nothing here knows a window, and everything found can be pickled: it is looked beside the window,
at a large table in a process of its own (`studio.train.looking`), and what comes back is small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.document.model import Document
from studio.document.plan import ClassColumn, ImageColumn, Split, TextColumn
from studio.document.preprocess import Fitted, FittedClasses, FittedText, refit
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.progress import tell
from studio.train.arrays import unpacked
from studio.train.bindings import ports_of
from studio.train.data import check_data, check_ports, load_table, validation_table
from studio.train.encoding import encode, learn
from studio.train.ports import DataPort, binding_problems
from studio.train.samples import Sample, balanced, counted
from studio.train.series import Windows, split_windows
from studio.train.splits import split_of, split_rows
from studio.train.table_view import FEWEST, PEEKED, TableView, beginning, view_of
from studio.train.tables import Table

COUNTED = 4000  # training rows on which it is counted what a port receives
COUNTED_BYTES = 2**24
PICTURES = 48  # to be opened are so many at most
_OF_COLUMNS = ("column_missing", "column_of_arrays", "column_of_cells", "column_other_length")


@dataclass(frozen=True)
class Look:
    """Attributes:
    document: what was looked at.
    table: None where it could not be read.
    problems: everything wrong with source, split and bindings.
    rows: how many train and validate; None where that is not known.
    samples: by port key, where the port's binding works.
    """

    document: Document
    table: TableView | None = None
    problems: tuple[Problem, ...] = ()
    rows: tuple[int, int] | None = None
    samples: Mapping[str, Sample] = field(default_factory=dict)

    def at(self, port: DataPort) -> list[Problem]:
        """The problems of one port: those that name it, or its node and no port."""
        return [
            p
            for p in self.problems
            if p.args.get("port", port.name) == port.name and p.where == port.call
        ]


def look(document: Document, base: Path, fitted: Mapping[str, Fitted]) -> Look:
    """Read the table, check everything, encode a sample for each port. Never raises for the data.

    `fitted` is what earlier training learnt: where a binding still asks for the same, it is used.
    """
    return Looker().look(document, base, fitted)


class Looker:
    """Looks at data again and again, and remembers of the last table what takes long."""

    def __init__(self) -> None:
        self._table: Table | None = None
        self._view: TableView | None = None
        self._split: Split | None = None
        self._train: NDArray[np.intp] = np.zeros(0, np.intp)
        self._held: NDArray[np.intp] = np.zeros(0, np.intp)
        self._some: dict[int, Table] = {}
        self._vocabularies: dict[object, FittedText] = {}
        self._ports: dict[str, tuple[object, tuple[Problem, ...], Sample | None]] = {}

    def look(self, document: Document, base: Path, fitted: Mapping[str, Fitted]) -> Look:
        """See the function of this name."""
        source = document.plan.data.source
        if source is None:
            return Look(document, problems=tuple(check_data(document, base)))
        try:
            table = load_table(source, base)
        except ProblemError:
            return Look(document, problems=tuple(check_data(document, base)))
        if table is not self._table or self._view is None:
            self._start(table, view_of(table, source, base))
        try:
            seen = self._looked(document, fitted)
            data = document.plan.data
            if data.series is None and data.split.kind != "file":
                return seen
            rows = self._samples_of_all(document, table, base)
            return replace(seen, problems=tuple(check_data(document, base)), rows=rows)
        except ProblemError:
            return Look(document, self._view, tuple(check_data(document, base)))

    def peek(self, document: Document, base: Path, fitted: Mapping[str, Fitted]) -> Look:
        """Likewise, at the first rows only.

        What those rows lack proves nothing: told are only problems that more rows cannot solve.
        """
        source = document.plan.data.source
        assert source is not None
        try:
            table = beginning(source, base)
            if table is not self._table:
                self._start(table, view_of(table, source, base, table.rows < PEEKED))
        except ProblemError as error:
            return Look(document, problems=error.problems)
        try:
            seen = self._looked(document, fitted)
        except ProblemError:
            return Look(document, self._view)
        ports = ports_of(document)
        certain = [problem for port in ports for problem in binding_problems(document, port)]
        certain += [p for p in seen.problems if p.code in _OF_COLUMNS]
        return replace(seen, problems=tuple(certain), rows=None)

    def _start(self, table: Table, view: TableView) -> None:
        self._table, self._view, self._split = table, view, None

    def _looked(self, document: Document, fitted: Mapping[str, Fitted]) -> Look:
        assert self._table is not None
        self._remember(split_of(document), self._table)
        problems: list[Problem] = []
        samples: dict[str, Sample] = {}
        ports = ports_of(document)
        for number, port in enumerate(ports):
            tell("encoding", number, len(ports))
            wrong, sample = self._port(document, port, self._table, fitted)
            problems += wrong
            if sample is not None:
                samples[port.key] = sample
        rows = len(self._train), len(self._held)
        return Look(document, self._view, tuple(problems), rows, samples)

    def _remember(self, split: Split, table: Table) -> None:
        if split != self._split:
            self._train, self._held = split_rows(table, split)
            self._split = split
            self._some, self._vocabularies, self._ports = {}, {}, {}

    def _samples_of_all(self, document: Document, table: Table, base: Path) -> tuple[int, int]:
        """How many samples train and validate where they are no rows, or of another file."""
        train, held = len(self._train), len(self._held)
        if document.plan.data.series:
            windows = split_windows(document, table, self._held)
            train, held = len(windows[0]), len(windows[1])
        if other := validation_table(document.plan.data.split, base):
            held = other.rows
            if document.plan.data.series:
                held = len(split_windows(document, other, self._held[:0])[0])
        return train, held

    # -- one port --------------------------------------------------------------------------------

    def _port(
        self, document: Document, port: DataPort, table: Table, fitted: Mapping[str, Fitted]
    ) -> tuple[tuple[Problem, ...], Sample | None]:
        """What is wrong with a port, and what it receives; kept while nothing of it changes."""
        data = document.plan.data
        texts = data.inputs if isinstance(port.binding, TextColumn) else {}
        about = (port, document.graphs, document.layers, texts, data.series, fitted)
        if port.key not in self._ports or self._ports[port.key][0] != about:
            problems, learnt = check_ports(document, [port], table, self._train)
            sample = self._sample(document, port, table, {**learnt, **fitted})
            self._ports[port.key] = about, problems, sample
        return self._ports[port.key][1:]

    def _sample(
        self, document: Document, port: DataPort, table: Table, known: Mapping[str, Fitted]
    ) -> Sample | None:
        if port.binding is None or binding_problems(document, port):
            return None
        try:
            learnt = self._learnt(document, port, table, known)
            first = self._encoded(document, port, learnt, table, 1)[1]
            if isinstance(port.binding, ClassColumn) and isinstance(learnt, FittedClasses):
                return balanced(port.binding, table, self._train, learnt, first[0])
            most = PICTURES if isinstance(port.binding, ImageColumn) else COUNTED
            count = max(FEWEST, min(most, COUNTED_BYTES // max(1, first.nbytes)))
            some, many = self._encoded(document, port, learnt, table, count)
        except ProblemError:
            return None  # it was said while checking
        cells = some.texts(port.binding.column) if isinstance(port.binding, TextColumn) else ()
        return counted(learnt, cells, many)

    def _learnt(
        self, document: Document, port: DataPort, table: Table, known: Mapping[str, Fitted]
    ) -> Fitted | None:
        """What a port learns; a vocabulary is kept while nothing changes that it depends on."""
        if not isinstance(port.binding, TextColumn):
            return learn(document, port, table, self._train, known)
        lasting = replace(port.binding, length=1, padding="pre", truncating="pre", one_hot=False)
        others = {k: b for k, b in document.plan.data.inputs.items() if k != port.key}
        key = repr((port.key, lasting, others, sorted(document.graph.wires, key=repr)))
        if refit(known.get(port.key), port.binding) is not None or key not in self._vocabularies:
            found = learn(document, port, table, self._train, known)
            assert isinstance(found, FittedText)
            self._vocabularies[key] = found
        return replace(self._vocabularies[key], binding=port.binding)

    def _encoded(
        self, document: Document, port: DataPort, learnt: Fitted | None, table: Table, count: int
    ) -> tuple[Table, Array]:
        """Some of what trains, as the port takes it, and the rows of it."""
        if document.plan.data.series:
            return self._windowed(document, port, learnt, table, count)
        if count not in self._some:
            self._some[count] = some_rows(table, self._train, count)
        some = self._some[count]
        return some, np.asarray(unpacked(encode(document, port, learnt, some, before=True)))

    def _windowed(
        self, document: Document, port: DataPort, learnt: Fitted | None, table: Table, count: int
    ) -> tuple[Table, Array]:
        """Likewise of windows over rows: the first ones."""
        windows, _ = split_windows(document, table, self._held)
        ends = windows.ends[:count]
        start = int(ends.min()) - windows.series.length + 1
        rows = windows.rows[start : int(ends.max()) + windows.series.ahead + 1]
        some = table.some(rows.tolist())
        found = Windows(windows.series, np.arange(len(rows)), ends - start)
        column = encode(document, port, learnt, some, before=True)
        return some, np.asarray(unpacked(found.of(port, column)))


def some_rows(table: Table, rows: NDArray[np.intp], count: int) -> Table:
    """At most so many of these rows, the first among them, as a table in memory.

    They are taken evenly; of a large table from a few of its blocks, which are all it reads.
    """
    if table.large:
        edges = np.array([0, *(block.stop for block in table.blocks())])
        blocks = np.unique(np.searchsorted(edges, rows, "right"))
        chosen = blocks[np.linspace(0, len(blocks) - 1, min(8, len(blocks))).astype(int)]
        rows = rows[np.isin(np.searchsorted(edges, rows, "right"), chosen)]
    if len(rows) > count:
        rows = rows[np.arange(count) * len(rows) // count]
    return table.some(rows.tolist())
