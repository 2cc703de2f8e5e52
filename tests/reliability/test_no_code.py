"""What could run code that a file holds is not in the program, but for a few named places."""

import ast
from pathlib import Path

import pytest

STUDIO = Path(__file__).parents[2] / "studio"
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "code", "runpy"}
CALLS = {"eval", "exec", "compile", "__import__", "import_module", "loads", "load", "find_class"}
ALLOWED = {
    ("train/pipe.py", "import pickle"): "between this program's own processes",
    ("train/pipe.py", "pickle.loads"): "likewise",
}
# Modules of our own by names of closed tables, or written out; `declare.registry` is the one that
# names from files are looked up in.
LATE = {
    *("__init__.py", "declare.py", "layers/__init__.py", "optimizers/__init__.py"),
    *("engine/engines.py", "engine/operator.py", "ui/warming.py"),
}


def found_in(path: Path) -> list[str]:
    """What of it is in a module: imports, calls, and arrays read with pickles allowed."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found += [f"import {n.name}" for n in names if n.name.split(".")[0] in MODULES]
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                found.append(f"import {module}")
            case ast.Call(func=ast.Name(id=name)) if name in CALLS - {"load", "loads", "compile"}:
                found.append(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
                owner in MODULES | {"importlib", "builtins"} and name in CALLS
            ):
                found.append(f"{owner}.{name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="load"), keywords=words):
                safe = [w for w in words if w.arg == "allow_pickle"]
                if not safe or ast.literal_eval(safe[0].value) is not False:
                    found.append("np.load")
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                found.append("allow_pickle=True")
    return found


@pytest.mark.parametrize("path", sorted(STUDIO.rglob("*.py")), ids=str)
def test_no_module_runs_what_a_file_holds(path: Path) -> None:
    name = path.relative_to(STUDIO).as_posix()
    late = {"import_module", "importlib.import_module"} if name in LATE else set()
    found = [what for what in found_in(path) if what not in late]
    assert [what for what in found if (name, what) not in ALLOWED] == []


def test_what_is_allowed_is_still_there() -> None:
    for name, what in ALLOWED:
        assert what in found_in(STUDIO / name)
    for name in LATE:
        assert {"import_module", "importlib.import_module"} & {*found_in(STUDIO / name)}


@pytest.mark.parametrize(
    "source",
    [
        *("import pickle", "from marshal import loads", "eval('1')", "exec('1')"),
        *("__import__('os')", "import importlib; importlib.import_module(x)"),
        *("np.load(x)", "np.load(x, allow_pickle=True)", "np.save(x, y, allow_pickle=True)"),
    ],
)
def test_each_of_it_would_be_found(source: str, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(source)
    assert found_in(tmp_path / "m.py")
