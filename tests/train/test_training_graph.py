"""The training step as a file."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from studio import optimizers
from studio.document.project import Project
from studio.engine.onnx_writer import check_onnx
from studio.examples import EXAMPLES
from studio.layers import LSTM, BatchNormalization, Dense, Dropout, Embedding, Input, concatenate
from studio.models import Model
from studio.problem import ProblemError
from studio.train import training_graph as module
from studio.train.training_graph import export_training, training_graph

README = Path(__file__).parents[2] / "README.md"
EPOCHS, ROWS = 4, 75


def headline() -> Model:
    text = Input(shape=(12,), dtype="int32", name="text")
    read = LSTM(4)(Embedding(20, 6)(text))
    aux = Dense(1, activation="sigmoid", name="aux")(read)
    numbers = Input(shape=(3,), name="numbers")
    main = Dense(1, activation="sigmoid", name="main")(concatenate([read, numbers]))
    return Model([text, numbers], [main, aux])


def data() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (2, ROWS, 1)).astype(np.float32)
    return {
        "text": rng.integers(0, 20, (ROWS, 12)).astype(np.int32),
        "numbers": rng.normal(size=(ROWS, 3)).astype(np.float32),
        "target/main": labels[0],
        "target/aux": labels[1],
    }


@pytest.mark.parametrize("trained", [0, 2])
@pytest.mark.parametrize("optimizer", ["RMSprop", "SGD", "Adam", "Adagrad"])
def test_the_readmes_script_gets_the_history_of_fit(
    optimizer: str, trained: int, tmp_path: Path
) -> None:
    """From the start, and where a training in the app left off."""
    model, arrays = headline(), data()
    model.compile(
        getattr(optimizers, optimizer)(learning_rate=0.001),
        loss="binary_crossentropy",
        loss_weights=[1.0, 0.2],
    )
    fit(model, arrays, trained)
    proof = model.export(tmp_path / "step.onnx", training=True)
    assert proof.ok
    assert set(proof.outputs) == {"loss", "main_loss", "aux_loss", "main", "aux", "weights"}
    np.savez(tmp_path / "data.npz", **{k: v.astype(np.float64) for k, v in arrays.items()})
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (script,) = [block for block in blocks if "onnxruntime.InferenceSession" in block]
    assert len(script.splitlines()) <= 30
    (tmp_path / "script.py").write_text(script, "utf-8")
    done = subprocess.run(
        [sys.executable, "script.py", "step.onnx", "data.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    history = fit(model, arrays, EPOCHS)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == EPOCHS
    for epoch, (number, *words) in enumerate(lines):
        found = dict(zip(words[::2], map(float, words[1::2]), strict=True))
        assert int(number) == epoch + 1
        assert found == pytest.approx({key: v[epoch] for key, v in history.items()}, abs=2e-6)


def fit(model: Model, arrays: dict[str, np.ndarray], epochs: int) -> dict[str, list[float]]:
    if not epochs:
        return {}
    x, y = (arrays["text"], arrays["numbers"]), (arrays["target/main"], arrays["target/aux"])
    options = {"batch_size": 32, "shuffle": False, "verbose": 0}
    return model.fit(list(x), list(y), epochs=epochs, **options).history


@pytest.mark.parametrize("seed", range(4))
def test_gradients_that_are_nothing_but_rounding_disprove_nothing(seed: int) -> None:
    """A bias before a BatchNormalization has none, and Adam takes a full step all the same."""
    x = Input(shape=(6,))
    y = Dense(1)(BatchNormalization()(Dense(5)(x)))
    model = Model(x, y)
    model.compile("adam", "mse")
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    _, proof = training_graph(model.project)
    assert proof.ok


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_exports_its_step(name: str) -> None:
    content, proof = training_graph(Project(EXAMPLES[name]()))
    model = onnx.load_from_string(content)
    assert check_onnx(content)
    assert {opset.domain for opset in model.opset_import} <= {"", "layerloom"}
    called = {node.op_type for node in model.graph.node if node.domain}
    assert called <= {function.name for function in model.functions}
    assert all(not node.domain for function in model.functions for node in function.node)
    assert proof.ok


def test_an_output_called_loss_makes_way_for_the_loss() -> None:
    x = Input(shape=(3,))
    model = Model(x, Dense(1, name="loss")(x))
    model.compile("sgd", "mse")
    content, _ = training_graph(model.project)
    outputs = [value.name for value in onnx.load_from_string(content).graph.output]
    assert outputs[:3] == ["loss", "loss_loss", "loss_output"]


def test_what_layers_draw_goes_in() -> None:
    x = Input(shape=(3,))
    model = Model(x, Dense(1)(Dropout(0.5)(x)))
    model.compile("sgd", "mse")
    content, _ = training_graph(model.project)
    inputs = [value.name for value in onnx.load_from_string(content).graph.input]
    assert sum(name.startswith("noise/") for name in inputs) == 1


def test_a_model_without_losses_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    x = Input(shape=(3,))
    model = Model(x, Dense(1)(x))
    with pytest.raises(ProblemError) as caught:
        export_training(model.project, tmp_path / "step.onnx")
    assert caught.value.problems[0].code == "no_losses"
    assert not list(tmp_path.iterdir())


def test_engines_that_are_apart_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = Input(shape=(3,))
    model = Model(x, Dense(1)(x))
    model.compile("sgd", "mse")
    write = module.to_onnx

    def other(program, **options):
        options["defaults"] = {n: a + np.float32(0.1) for n, a in options["defaults"].items()}
        return write(program, **options)

    monkeypatch.setattr(module, "to_onnx", other)
    with pytest.raises(ProblemError) as caught:
        export_training(model.project, tmp_path / "step.onnx")
    assert caught.value.problems[0].code == "proof_failed"
    assert not list(tmp_path.iterdir())
