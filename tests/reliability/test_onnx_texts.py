"""What an ONNX file computes lies in a project as a text, which the window follows itself."""

import base64
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable

from studio.engine.onnx_reader import _packed, _parsed, _unpacked, normalized
from studio.layers.onnx_model import OnnxModel, frozen_problem
from studio.layers.shapes import shapes_of
from tests.reliability.onnx_mutants import SEEDS, changed

SECONDS = 2.0


def followed(text: str) -> str:
    """What the window does with a layer of a project that was opened; how it came out."""
    layer = OnnxModel(text)
    problems = layer.problems()
    file = layer.file()
    if file is None:
        assert len(problems) == 1
        return "refused"
    frozen_problem(text)
    return "told" if shapes_of(layer, tuple(file.inputs.values())).problems else "runs"


def test_a_damaged_text_runs_or_is_a_problem_of_its_layer(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    texts = [normalized(_parsed(make().SerializeToString()))[0] for make in SEEDS]
    seeds = [_unpacked(base64.b64decode(text)) for text in texts]
    counts: Counter[str] = Counter()
    slowest, total = 0.0, amount(200, 20_000)
    for number in range(total):
        chance = random.Random(number)
        text = _packed(changed(chance, chance.choice(seeds)))
        began = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                counts[followed(text)] += 1
            except Exception as error:
                raise AssertionError(f"text {number}: {error!r}") from error
        slowest = max(slowest, time.process_time() - began)
        assert slowest <= SECONDS, f"text {number} took {slowest:.1f} s"
    tell(
        f"{total:,} damaged texts: {counts['runs']:,} run, {counts['told']:,} have a problem at"
        f" their layer, {counts['refused']:,} are refused; the slowest took {slowest:.2f} s"
    )
    assert min(counts["runs"], counts["told"], counts["refused"]) > total // 20
