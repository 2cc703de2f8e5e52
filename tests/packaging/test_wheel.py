"""The wheel is built, installed away from the checkout, and started there; no network is needed."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("pyproject.toml", "setup.py", "README.md", "studio", "resources", "packaging")
SHARED = {
    "share/applications/layerloom.desktop",
    "share/mime/packages/layerloom.xml",
    "share/icons/hicolor/scalable/apps/layerloom.svg",
}


def files_under(folder: Path, below: Path) -> set[str]:
    """Name the files that matter in a folder, relative to another."""
    return {
        path.relative_to(below).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build from a copy, so that the checkout is left without build folders."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip = ("-m", "pip", "wheel", "-q", "--no-index", "--no-build-isolation", "--no-deps")
    python(*pip, "-w", str(folder), str(source), cwd=folder)
    (wheel,) = folder.glob("layerloom-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip = ("-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target")
    python(*pip, str(target), str(wheel), cwd=target)
    return target


def test_the_wheel_holds_the_package_and_the_resources_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    resources = {f"studio/{name}" for name in files_under(ROOT / "resources", ROOT)}
    shared = {name for name in packed if ".data/data/" in name}
    assert {name.partition(".data/data/")[2] for name in shared} == SHARED
    assert packed - shared == files_under(ROOT / "studio", ROOT) | resources


def test_the_installed_command_starts_elsewhere(installed, tmp_path):
    # -P: the current folder is not searched, so that only the installed copy can answer.
    program = "import studio, sys; print(studio.__file__); from studio.cli import main; main()"
    command = ("-P", "-c", program, "--help")
    done = python(*command, cwd=tmp_path, PYTHONPATH=str(installed))
    assert done.stdout.startswith(str(installed))
    assert "export" in done.stdout


def test_the_installed_package_finds_its_resources(installed, tmp_path):
    program = "from studio.text import resources; print(resources())"
    done = python("-P", "-c", program, cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(done.stdout.strip()) == installed / "studio" / "resources"
