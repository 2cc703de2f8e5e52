"""How well and how fast graphs are laid out, graphviz's dot beside it where it is installed.

python -m tests.benchmarks.layout --nodes 1000 [--json]

Both lay out the same nodes of the same sizes, and are judged by the same measure: wires as straight
lines from the middle of a node's right side to the middle of the next one's left; crossings of two
such lines that share no node; overlaps of two nodes. Time is the process's; dot's is its own.
"""

import argparse
import json
import resource
import shutil
import subprocess
from time import process_time

import numpy as np
from numpy.typing import NDArray

from studio.document.layout import Size, place
from studio.document.model import CallId, Graph
from tests.benchmarks.canvas import residual

Places = dict[CallId, tuple[float, float]]
_POINTS = 72.0  # of graphviz, in an inch


def by_dot(graph: Graph, sizes: dict[CallId, Size]) -> tuple[Places, float]:
    """Upper left corners as dot has them, and the seconds it took."""
    lines = ["digraph g { rankdir=LR; node [shape=box, fixedsize=true];"]
    for call, (width, height) in sizes.items():
        lines.append(f'"{call}" [width={width / _POINTS}, height={height / _POINTS}];')
    lines += [f'"{w.source}" -> "{w.target}";' for w in sorted(graph.wires)] + ["}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    found = subprocess.run(
        ["dot", "-Tplain"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    places = {}
    for line in found.stdout.splitlines():
        kind, *rest = line.split()
        if kind == "node":
            call, x, y = rest[0].strip('"'), float(rest[1]) * _POINTS, -float(rest[2]) * _POINTS
            places[call] = (x - sizes[call][0] / 2, y - sizes[call][1] / 2)
    return places, took


def crossings(graph: Graph, places: Places, sizes: dict[CallId, Size]) -> int:
    """How many pairs of wires cross."""
    wires = sorted({(w.source, w.target) for w in graph.wires})
    number = {call: i for i, call in enumerate(places)}
    ends = np.array([[number[a], number[b]] for a, b in wires])
    start = np.array([_side(places[a], sizes[a], right=True) for a, _ in wires])
    stop = np.array([_side(places[b], sizes[b], right=False) for _, b in wires])
    count = 0
    for i in range(len(wires) - 1):
        a, b, c, d = start[i], stop[i], start[i + 1 :], stop[i + 1 :]
        apart = _turn(a, b, c) * _turn(a, b, d) < 0
        apart &= _turn(c, d, a) * _turn(c, d, b) < 0
        shared = (ends[i + 1 :, :, None] == ends[i]).any((1, 2))
        count += int((apart & ~shared).sum())
    return count


def _side(corner: tuple[float, float], size: Size, right: bool) -> tuple[float, float]:
    return corner[0] + (size[0] if right else 0.0), corner[1] + size[1] / 2


def _turn(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]
) -> NDArray[np.float64]:
    """On which side of the line from a to b a point lies."""
    (x, y), (u, v) = np.moveaxis(b - a, -1, 0), np.moveaxis(c - a, -1, 0)
    turn: NDArray[np.float64] = x * v - y * u
    return turn


def overlaps(places: Places, sizes: dict[CallId, Size]) -> int:
    """How many pairs of nodes cover a part of each other."""
    low = np.array([places[call] for call in places])
    high = low + np.array([sizes[call] for call in places])
    over = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(-1)
    return int((over.sum() - len(places)) // 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    graph = residual(asked.nodes).graph
    sizes: dict[CallId, Size] = dict.fromkeys(graph.calls, (180.0, 100.0))
    start = process_time()
    ours = place(graph, set(graph.calls), sizes)
    found = {"layerloom": (ours, process_time() - start)}
    if shutil.which("dot"):
        found["dot"] = by_dot(graph, sizes)
    results = {
        name: {
            "seconds": round(took, 3),
            "crossings": crossings(graph, places, sizes),
            "overlaps": overlaps(places, sizes),
        }
        for name, (places, took) in found.items()
    }
    if asked.json:
        print(json.dumps({"nodes": asked.nodes, **results}))
        return
    for name, result in results.items():
        print(f"{name:10}", "   ".join(f"{key} {value}" for key, value in result.items()))
    if "dot" not in results:
        print("dot is not installed (package graphviz), so nothing stands beside it")


if __name__ == "__main__":
    main()
