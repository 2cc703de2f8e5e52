"""Random models of all layers, nested, shared and wrapped: the lens measures what steps do."""

import numpy as np
import pytest

from studio.declare import clear_session
from studio.document.integers import integer_limits
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError
from studio.train.feed import as_arrays
from studio.train.study.bench import Bench
from studio.train.study.lens_look import look
from studio.train.trainer import Trainer
from tests.test_random_models import Inventor, listed
from tests.train.study.test_lens import NUMPY, ONNXRUNTIME, alone


def trained(seed: int, settings: object) -> Bench | None:
    """A model that had a step; None where none comes of this seed, or it cannot be trained."""
    clear_session()
    inventor = Inventor(seed)
    for _ in range(3):
        inventor.model()
    if not inventor.models:
        return None
    model = inventor.models[-1]
    limits, document = integer_limits(model.document), model.document
    specs = {c: document.entry(c).body.spec() for c in document.graph.inputs}
    x = [inventor.values(spec, limits.get(call, 2)) for call, spec in specs.items()]
    try:
        targets = [inventor.numbers.random(y.shape).astype("f4") for y in listed(model.predict(x))]
        model.compile(SGD(0.1), ["mse"] * len(targets))
        trainer = Trainer(model.document, model.project.store, settings)
        bench = Bench(trainer, as_arrays(model.document, x, targets))
        trainer.train_batch(bench.batch)
    except ProblemError:
        return None
    return bench


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("settings", [NUMPY, ONNXRUNTIME], ids=lambda s: s.engine)
def test_gradients_of_random_models_are_those_that_steps_are_made_of(settings: object) -> None:
    seen = 0
    for seed in range(24):
        bench = trained(seed, settings)
        if bench is None:
            continue
        sample = look(bench)
        seen += 1
        for number, moved in enumerate(alone(bench, sample)):
            for layer, share in sample.layers.items():
                mine = [m.astype("f8") for (of, _), m in moved.items() if of == layer]
                expected = np.sqrt(sum((m**2).sum() for m in mine)) / 0.1
                if np.isfinite(expected):
                    found = share.norms[number]
                    np.testing.assert_allclose(found, expected, 5e-3, 2e-5, err_msg=str(seed))
    assert seen > 8
