"""The set-up script's decisions, without a network and without touching the system."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "bootstrap.py"
BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
TRIXIE = {"ID": "debian", "VERSION_CODENAME": "trixie"}
NOBLE = {"ID": "ubuntu", "VERSION_CODENAME": "noble", "UBUNTU_CODENAME": "noble"}
MINT_21 = {"ID": "linuxmint", "VERSION_CODENAME": "virginia", "UBUNTU_CODENAME": "jammy"}
SID = {"ID": "debian"}


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["bootstrap"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


bootstrap = load()


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """A .venv of our own, so that no test touches the real one."""
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "layerloom-setup.json")
    return tmp_path / ".venv"


@pytest.fixture
def launched(monkeypatch):
    """The programs that would have been started."""
    commands = []
    monkeypatch.setattr(bootstrap, "call", lambda command, *_: commands.append(command) or 0)
    return commands


# ------------------------------------------------------------------------ system packages


def names(group, release, venv_package=None):
    return [each.name for each in bootstrap.wanted_packages(group, release, venv_package)]


@pytest.mark.parametrize(
    ("release", "glib", "kerberos"),
    [
        (BOOKWORM, "libglib2.0-0", False),
        (MINT_21, "libglib2.0-0", False),
        (TRIXIE, "libglib2.0-0t64", True),
        (NOBLE, "libglib2.0-0t64", True),
        (SID, "libglib2.0-0t64", True),
    ],
)
def test_package_names_follow_the_release(release, glib, kerberos):
    wanted = names("runtime", release)
    assert [name for name in wanted if name.startswith("libglib")] == [glib]
    assert ("libgssapi-krb5-2" in wanted) == kerberos


def test_only_the_tests_want_a_virtual_screen():
    assert "xvfb" not in names("runtime", BOOKWORM)
    assert {"xvfb", "xauth"} <= set(names("dev", BOOKWORM))


def test_the_venv_package_is_wanted_only_where_it_is_missing():
    assert names("runtime", BOOKWORM, "python3.11-venv")[0] == "python3.11-venv"
    assert not any("venv" in name for name in names("runtime", BOOKWORM))


def test_an_incomplete_system_python_is_completed_by_a_package(monkeypatch):
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    monkeypatch.setattr(bootstrap, "can_make_venv", lambda: False)
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert bootstrap.missing_venv_package() == minor
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    assert bootstrap.missing_venv_package() is None, "apt cannot complete another's Python"


def test_what_is_installed_or_has_an_alternative_is_not_missing():
    wanted = bootstrap.wanted_packages("runtime", BOOKWORM, None)
    everything = {each.name for each in wanted}
    assert bootstrap.missing_packages(wanted, everything) == []
    installed = everything - {"libegl1", "fonts-wqy-microhei"} | {"fonts-noto-cjk"}
    assert [each.name for each in bootstrap.missing_packages(wanted, installed)] == ["libegl1"]


def test_dpkg_rows_that_are_not_fully_installed_do_not_count(monkeypatch):
    rows = "libgl1 installed\nlibegl1 config-files\nxvfb not-installed\n"
    answer = subprocess.CompletedProcess([], 1, stdout=rows)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert bootstrap.installed_packages([]) == {"libgl1"}


@pytest.fixture
def debian(monkeypatch):
    """A Debian 12 that lacks what the test puts into the list."""
    installed = set(names("dev", BOOKWORM))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(bootstrap.platform, "freedesktop_os_release", lambda: BOOKWORM, False)
    monkeypatch.setattr(bootstrap, "missing_venv_package", lambda: None)
    monkeypatch.setattr(bootstrap, "installed_packages", lambda _: installed)
    return installed


def test_a_complete_system_is_left_alone(debian, monkeypatch):
    monkeypatch.setattr(bootstrap, "apt_install", lambda _: pytest.fail("apt was called"))
    bootstrap.complete_system("dev")


def test_without_root_the_apt_line_is_printed(debian, monkeypatch):
    debian -= {"libegl1", "libgl1"}
    monkeypatch.setattr(bootstrap, "way_to_root", lambda: None)
    with pytest.raises(bootstrap.SetupError) as error:
        bootstrap.complete_system("runtime")
    line = "apt-get update && apt-get install -y --no-install-recommends libgl1 libegl1\n"
    assert line in str(error.value)


def test_a_missing_font_stops_nobody(debian, monkeypatch, capsys):
    debian -= {"fonts-wqy-microhei"}
    monkeypatch.setattr(bootstrap, "way_to_root", lambda: None)
    bootstrap.complete_system("runtime")
    assert "fonts-wqy-microhei" in capsys.readouterr().out


def test_root_and_sudo_install_without_questions(monkeypatch):
    commands = []
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command) or done)
    monkeypatch.setattr(bootstrap, "way_to_root", lambda: ["sudo"])
    assert bootstrap.apt_install(["xvfb"])
    update, install = (" ".join(command) for command in commands)
    assert update.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get update")
    assert "--no-install-recommends" in install
    assert install.endswith(" xvfb")


def test_a_system_without_apt_is_trusted(monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    monkeypatch.setattr(bootstrap, "apt_install", lambda _: pytest.fail("apt was called"))
    bootstrap.complete_system("dev")


# ------------------------------------------------------------------------ .venv and stamps


def test_an_old_python_is_refused_in_one_sentence():
    with pytest.raises(
        bootstrap.SetupError, match=r"needs Python 3\.11 or newer, and this is 3\.9"
    ):
        bootstrap.check_python((3, 9, 2))
    bootstrap.check_python((3, 11, 0))
    bootstrap.check_python((3, 13, 1))


def test_a_stamp_covers_its_own_group_and_less():
    runtime, dev = (bootstrap.wanted_stamp(group) for group in ("runtime", "dev"))
    assert dev.covers(dev)
    assert dev.covers(runtime)
    assert not runtime.covers(dev)


def test_a_stamp_of_other_inputs_python_or_place_does_not_serve():
    wanted = bootstrap.Stamp("here", "3.11", "inputs", "dev")
    assert not bootstrap.Stamp("here", "3.11", "older inputs", "dev").covers(wanted)
    assert not bootstrap.Stamp("there", "3.11", "inputs", "dev").covers(wanted)
    assert not bootstrap.Stamp("here", "3.12", "inputs", "dev").covers(wanted)
    assert not bootstrap.Stamp("here", "3.11", "inputs", "").covers(wanted), "interrupted"


def test_the_stamp_follows_what_decides_the_installation(tmp_path):
    for name in ("pyproject.toml", "setup.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "packaging").mkdir()
    for name in ("constraints.txt", "bootstrap.py"):
        (tmp_path / "packaging" / name).write_text("")
    before = bootstrap.wanted_stamp("dev", tmp_path)
    assert bootstrap.wanted_stamp("dev", tmp_path) == before
    (tmp_path / "packaging" / "constraints.txt").write_text("numpy==1.0\n")
    assert bootstrap.wanted_stamp("dev", tmp_path).inputs != before.inputs


def test_a_stamp_survives_the_disk_and_nonsense_is_no_stamp(tmp_path):
    path, stamp = tmp_path / "new" / "stamp.json", bootstrap.wanted_stamp("dev")
    assert bootstrap.read_stamp(path) is None
    bootstrap.write_stamp(path, stamp)
    assert bootstrap.read_stamp(path) == stamp
    for nonsense in ("", "{", "[]", '{"colour": "red"}'):
        path.write_text(nonsense)
        assert bootstrap.read_stamp(path) is None


def test_a_venv_of_someone_else_is_not_deleted(venv):
    venv.mkdir()
    (venv / "precious").touch()
    with pytest.raises(bootstrap.SetupError, match="not made by this script"):
        bootstrap.make_environment(bootstrap.wanted_stamp("dev"))
    assert (venv / "precious").exists()


def test_an_interrupted_environment_is_made_anew(venv, monkeypatch):
    wanted = bootstrap.wanted_stamp("dev")
    bootstrap.write_stamp(bootstrap.STAMP, bootstrap.Stamp(wanted.place, wanted.python, "x"))
    (venv / "half-installed").touch()
    made = []
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: made.append(command) or done)
    bootstrap.make_environment(wanted)
    assert made == [[sys.executable, "-m", "venv", str(venv)]]
    assert not (venv / "half-installed").exists()
    assert bootstrap.read_stamp(bootstrap.STAMP).group == "", "unfinished until pip is done"


def test_a_finished_environment_is_brought_up_to_date(venv, monkeypatch):
    wanted = bootstrap.wanted_stamp("dev")
    older = bootstrap.Stamp(wanted.place, wanted.python, "older", "runtime")
    bootstrap.write_stamp(bootstrap.STAMP, older)
    python = bootstrap.executable("python")
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("made a new one"))
    bootstrap.make_environment(wanted)
    assert python.exists()


def test_nothing_is_done_when_the_stamp_covers_the_group(venv, monkeypatch):
    bootstrap.write_stamp(bootstrap.STAMP, bootstrap.wanted_stamp("dev"))
    python = bootstrap.executable("python")
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(bootstrap, "complete_system", lambda _: pytest.fail("asked the system"))
    bootstrap.prepare("runtime")


# -------------------------------------------------------------------------- installation


@pytest.mark.parametrize("group", ["runtime", "dev"])
def test_pip_installs_pinned_versions_and_the_group(venv, group):
    tool, project = bootstrap.pip_commands(group)
    for command in (tool, project):
        assert command[command.index("--constraint") + 1] == str(bootstrap.CONSTRAINTS)
        assert command[0] == str(bootstrap.executable("python"))
    assert tool[-1] == "setuptools"
    assert project[-1] == str(ROOT) + ("[dev]" if group == "dev" else "")


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("urllib3.connection.HTTPSConnection object: NewConnectionError", "check the network"),
        ("SSLError(... CERTIFICATE_VERIFY_FAILED ...)", "PIP_CERT"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: something else", "its own message is above"),
    ],
)
def test_a_failure_of_pip_is_explained(errors, reason):
    assert reason in bootstrap.why_pip_failed(errors)


def test_what_pip_says_on_its_error_stream_is_heard(capfd):
    program = "import sys; print('ProxyError', file=sys.stderr); sys.exit(1)"
    with pytest.raises(bootstrap.SetupError, match="proxy"):
        bootstrap.run_pip([sys.executable, "-c", program])
    assert "ProxyError" in capfd.readouterr().err


def test_every_dependency_is_pinned():
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lines = (ROOT / "packaging" / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for requirement in map(Requirement, asked):
        for version in ("3.11", "3.12", "3.13"):
            here = {"python_version": version}
            if requirement.marker and not requirement.marker.evaluate(here):
                continue
            found = [
                pin
                for pin in pins
                if pin.name == requirement.name and (not pin.marker or pin.marker.evaluate(here))
            ]
            assert len(found) == 1, (requirement.name, version)
            (pin,) = found[0].specifier
            assert pin.operator == "=="
            assert requirement.specifier.contains(pin.version)


# ------------------------------------------------------------------------ the two commands


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (["run"], ("run", [])),
        (["run", "--", "my.loom"], ("run", ["my.loom"])),
        (["test", "--", "-k", "foo"], ("test", ["-k", "foo"])),
        (["test", "-k", "foo"], ("test", ["-k", "foo"])),
    ],
)
def test_what_follows_the_command_is_passed_through(line, parsed):
    assert bootstrap.parse(line) == parsed


def test_a_screen_is_found_by_its_variables():
    assert bootstrap.has_screen("darwin", {})
    assert bootstrap.has_screen("win32", {})
    assert bootstrap.has_screen("linux", {"DISPLAY": ":0"})
    assert bootstrap.has_screen("linux", {"WAYLAND_DISPLAY": "wayland-0"})
    assert not bootstrap.has_screen("linux", {"DISPLAY": ""})


def test_without_a_screen_the_demo_runs(venv, launched, monkeypatch):
    monkeypatch.setattr(bootstrap, "has_screen", lambda: False)
    assert bootstrap.run([]) == 0
    assert [command[1:] for command in launched] == [["demo"]]


def test_with_a_screen_the_headline_example_opens(venv, launched, monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "has_screen", lambda: True)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    example = tmp_path / bootstrap.EXAMPLE
    bootstrap.run([])
    new, opened = ["new", "--example", "headline", str(example)], [str(example)]
    assert [command[1:] for command in launched] == [new, opened]
    example.touch()
    launched.clear()
    bootstrap.run([])
    assert [command[1:] for command in launched] == [opened], "it is made once"


def test_arguments_go_to_layerloom_screen_or_not(venv, launched):
    bootstrap.run(["check", "my.loom"])
    assert launched == [[str(bootstrap.executable("layerloom")), "check", "my.loom"]]


def test_a_killed_program_gives_the_shells_status(monkeypatch):
    killed = subprocess.CompletedProcess([], -9)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    assert bootstrap.call(["program"]) == 137


@pytest.mark.parametrize(
    ("problem", "status", "text"),
    [
        (bootstrap.SetupError("Do this."), 1, "Do this."),
        (PermissionError(13, "Permission denied", "/there"), 1, "/there: Permission denied"),
        (KeyboardInterrupt(), 130, "Interrupted"),
    ],
)
def test_a_failure_is_one_sentence_and_no_traceback(monkeypatch, capsys, problem, status, text):
    def fail(_):
        raise problem

    monkeypatch.setattr(bootstrap, "prepare", fail)
    assert bootstrap.main(["run"]) == status
    assert text in capsys.readouterr().err


def test_the_script_needs_the_standard_library_only():
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "packaging/bootstrap.py run" in done.stdout
