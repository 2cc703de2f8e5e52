"""Set Layerloom up on a bare machine, then start it or test it.

    python3 packaging/bootstrap.py run   [-- FILE]     the window; the demo where there is no screen
    python3 packaging/bootstrap.py test  [-- -k NAME]  the tests; what follows goes to pytest
    python3 packaging/bootstrap.py setup               only the set-up that `test` does

It needs Python 3.11 or newer and nothing else: no pip, no venv module, no Qt libraries. What the
system lacks comes from apt where there is one, everything else goes into .venv beside this folder.
A second start finds its stamp there and costs a few milliseconds. Nothing outside .venv is changed
but system packages, and ~/Layerloom, where `run` puts the example it opens.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "layerloom-setup.json"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
EXAMPLE = Path("Layerloom") / "headline.loom"  # in the user's home
OLDEST_PYTHON = (3, 11)

COMMANDS = ("run", "test", "setup")
RUNTIME, DEV = "runtime", "dev"  # what is installed; DEV includes RUNTIME


class SetupError(Exception):
    """Set-up cannot go on; the text tells the user what to do, in a sentence."""


# ------------------------------------------------------------------------ system packages


@dataclass(frozen=True)
class Package:
    """A system package to install unless one of its alternatives is there already."""

    name: str
    alternatives: tuple[str, ...] = ()
    required: bool = True


# Every release of Debian and Ubuntu after these has 64-bit time, and "t64" in library names.
BEFORE_T64 = {"bullseye", "bookworm", "focal", "jammy"}

QT = ["libgl1", "libegl1", "libxkbcommon0", "libfontconfig1", "libdbus-1-3"]
QT_ON_X11 = [
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
    "libxcb-xkb1",
    "libxkbcommon-x11-0",
]
FONTS = [
    Package("fonts-dejavu-core", required=False),
    # 2 MB, where fonts-noto-cjk is 57 MB to download; any font that has Chinese will do.
    Package(
        "fonts-wqy-microhei",
        ("fonts-noto-cjk", "fonts-wqy-zenhei", "fonts-droid-fallback"),
        required=False,
    ),
]


def wanted_packages(
    group: str, os_release: Mapping[str, str], venv_package: str | None
) -> list[Package]:
    """List what the system must have; `venv_package` is the one that completes this Python."""
    codenames = {
        os_release.get(key) for key in ("VERSION_CODENAME", "UBUNTU_CODENAME", "DEBIAN_CODENAME")
    }
    if codenames & BEFORE_T64:
        names = ["ca-certificates", "libglib2.0-0", *QT, *QT_ON_X11]
    else:
        names = ["ca-certificates", "libglib2.0-0t64", "libgssapi-krb5-2", *QT, *QT_ON_X11]
    if venv_package:
        names.insert(0, venv_package)
    # xvfb-run needs both.
    screen = ("xvfb", "xauth") if group == DEV else ()
    virtual_screen = [Package(name, required=False) for name in screen]
    return [*map(Package, names), *FONTS, *virtual_screen]


def missing_packages(wanted: Iterable[Package], installed: set[str]) -> list[Package]:
    """Keep the packages of which neither the name nor an alternative is installed."""
    return [each for each in wanted if installed.isdisjoint({each.name, *each.alternatives})]


def installed_packages(wanted: Iterable[Package]) -> set[str]:
    """Ask dpkg which of these packages, or of their alternatives, are installed."""
    names = [name for each in wanted for name in (each.name, *each.alternatives)]
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in answer.splitlines())
    return {row[0] for row in rows if row[1:] == ["installed"]}


def apt_commands(names: Sequence[str]) -> list[list[str]]:
    """Give the commands that install these packages, without what is merely recommended."""
    wait = ["-o", "DPkg::Lock::Timeout=120"]  # for an automatic upgrade that is under way
    return [
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *wait, *names],
    ]


def apt_line(names: Sequence[str]) -> str:
    """Give the one line a person would type as root for these packages."""
    return f"apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}"


def way_to_root() -> list[str] | None:
    """Give the prefix that makes a command run as root; None if there is no way."""
    if os.geteuid() == 0:
        return []
    return ["sudo"] if shutil.which("sudo") else None


def apt_install(names: Sequence[str]) -> bool:
    """Install these packages if we may; False when we may not or apt could not."""
    root = way_to_root()
    if root is None:
        return False
    say(f"Installing system packages: {' '.join(names)}")
    prefix = [*root, "env", "DEBIAN_FRONTEND=noninteractive"]
    update, install = ([*prefix, *command] for command in apt_commands(names))
    subprocess.run(update, check=False)  # one broken source need not stop the install
    return subprocess.run(install, check=False).returncode == 0


def complete_system(group: str) -> None:
    """Install what the system lacks, where there is an apt; elsewhere trust the system."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-query")):
        return
    wanted = wanted_packages(group, platform.freedesktop_os_release(), missing_venv_package())
    missing = missing_packages(wanted, installed_packages(wanted))
    names = [each.name for each in missing]
    if not names or apt_install(names):
        return
    if any(each.required for each in missing):
        tried = "" if way_to_root() is None else ", and installing them failed (see above)"
        raise SetupError(
            f"System packages are missing{tried}. As root, run\n\n    {apt_line(names)}\n\n"
            "and then the same command again."
        )
    say(f"Going on without some packages that would be good to have:\n    {apt_line(names)}")


# -------------------------------------------------------------------- .venv and its stamp


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Refuse a Python that is too old."""
    if version < OLDEST_PYTHON:
        have, need = (".".join(map(str, each)) for each in (version, OLDEST_PYTHON))
        raise SetupError(
            f"Layerloom needs Python {need} or newer, and this is {have} ({sys.executable}): "
            f"start this script with a newer one, for example python{need} {sys.argv[0]}."
        )


def can_make_venv() -> bool:
    """Tell whether this Python has what Debian splits off into python3-venv."""
    importlib.invalidate_caches()  # apt may have just installed it
    try:
        importlib.import_module("venv")
        importlib.import_module("ensurepip")
    except ImportError:
        return False
    return True


def missing_venv_package() -> str | None:
    """Name the system package that completes this Python; None if it is complete.

    Only the system's own Python is completed by a package, not one from pyenv or python.org.
    """
    if can_make_venv() or sys.base_prefix != "/usr":
        return None
    return f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


@dataclass(frozen=True)
class Stamp:
    """What .venv was made from; written with `group` empty before, and again after the install."""

    place: str  # a virtual environment cannot be moved
    python: str
    inputs: str
    group: str = ""

    def same_environment(self, other: Stamp) -> bool:
        """Tell whether an installation can be brought up to date rather than made anew."""
        return (self.place, self.python) == (other.place, other.python)

    def covers(self, wanted: Stamp) -> bool:
        """Tell whether what was installed serves for what is wanted."""
        same = self.same_environment(wanted) and self.inputs == wanted.inputs
        return same and self.group in (wanted.group, DEV)


def wanted_stamp(group: str, root: Path = ROOT) -> Stamp:
    """Describe the environment that this checkout, this Python and this group call for."""
    digest = hashlib.sha256()
    names = ("pyproject.toml", "setup.py", "packaging/constraints.txt", "packaging/bootstrap.py")
    for name in names:
        digest.update((root / name).read_bytes())
    return Stamp(str(root), f"{sys.version} in {sys.base_prefix}", digest.hexdigest(), group)


def read_stamp(path: Path) -> Stamp | None:
    """Read a stamp; None if there is none that makes sense."""
    try:
        return Stamp(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_stamp(path: Path, stamp: Stamp) -> None:
    """Write a stamp, making its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(stamp), indent=2) + "\n", encoding="utf-8")


def executable(name: str, windows: bool = os.name == "nt") -> Path:
    """Give the path of a program inside .venv."""
    return VENV / "Scripts" / f"{name}.exe" if windows else VENV / "bin" / name


def make_environment(wanted: Stamp) -> None:
    """Make .venv, unless a finished one of the same Python is there to be brought up to date."""
    found = read_stamp(STAMP)
    if found and found.group and found.same_environment(wanted) and executable("python").exists():
        return
    if VENV.exists() and not STAMP.exists():
        raise SetupError(f"{VENV} was not made by this script: move it away, then try again.")
    if VENV.exists():
        say("Making .venv anew: an earlier set-up was interrupted, or used another Python or place")
        shutil.rmtree(VENV)
    if not can_make_venv():
        raise SetupError(
            "This Python has no venv and ensurepip modules: install the package of your system "
            "that adds them (often called python3-venv), then try again."
        )
    write_stamp(STAMP, Stamp(wanted.place, wanted.python, wanted.inputs))
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        raise SetupError(f"Python could not make {VENV}; its own message is above.")


# -------------------------------------------------------------------------- installation

PIP_REASONS = {  # what pip says -> what that means to a person
    "No space left on device": "The disk is full: free about 2 GB, then try again.",
    "CERTIFICATE_VERIFY_FAILED": "The package index's certificate is not trusted here: if your "
    "network inspects traffic, set PIP_CERT to its certificate file, then try again.",
    "NewConnectionError": "The package index cannot be reached: check the network connection, "
    "then try again.",
    "NameResolutionError": "The package index cannot be reached: check the network connection, "
    "then try again.",
    "timed out": "The package index did not answer in time: check the network connection, "
    "then try again.",
    "ProxyError": "The proxy of this network refuses the package index: check the HTTPS_PROXY "
    "variable, then try again.",
}


def why_pip_failed(errors: str) -> str:
    """Turn what pip wrote on its error stream into one sentence."""
    for sign, reason in PIP_REASONS.items():
        if sign in errors:
            return reason
    return "pip could not install what Layerloom needs; its own message is above."


def pip_commands(group: str) -> list[list[str]]:
    """Give the two steps of an installation: the pinned build tool, then the project with it."""
    pip = [str(executable("python")), "-m", "pip", "install", "--disable-pip-version-check"]
    pinned = [*pip, "--constraint", str(CONSTRAINTS)]
    project = f"{ROOT}[dev]" if group == DEV else str(ROOT)
    return [
        [*pinned, "setuptools"],
        [*pinned, "--no-build-isolation", "--editable", project],
    ]


def run_pip(command: Sequence[str]) -> None:
    """Run pip, letting its output through, and explain a failure."""
    heard = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr
        for line in process.stderr:
            sys.stderr.write(line)
            heard.append(line)
    if process.returncode:
        raise SetupError(why_pip_failed("".join(heard)))


def prepare(group: str) -> None:
    """Bring the system and .venv to where `group` can run; nothing to do if they are there."""
    wanted = wanted_stamp(group)
    found = read_stamp(STAMP)
    if found and found.covers(wanted) and executable("python").exists():
        return
    complete_system(group)
    make_environment(wanted)
    write_stamp(STAMP, Stamp(wanted.place, wanted.python, wanted.inputs))
    say("Installing Layerloom and its libraries into .venv (about 180 MB to download, once)")
    for command in pip_commands(group):
        run_pip(command)
    write_stamp(STAMP, wanted)


# ------------------------------------------------------------------------ the two commands


def has_screen(system: str = sys.platform, environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether a window can be shown."""
    environment = os.environ if environment is None else environment
    if system in ("darwin", "win32"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def call(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a program in the foreground and give its exit status as a shell would."""
    status = subprocess.run(command, env=environment, check=False).returncode
    return status if status >= 0 else 128 - status


def run(arguments: Sequence[str]) -> int:
    """Start Layerloom: as told, else with the headline example, else without a screen."""
    layerloom = str(executable("layerloom"))
    if arguments:
        return call([layerloom, *arguments])
    if not has_screen():
        say("There is no screen here, so this is the demo: the headline example, start to end")
        return call([layerloom, "demo"])
    example = Path.home() / EXAMPLE
    if not example.exists():
        example.parent.mkdir(parents=True, exist_ok=True)
        status = call([layerloom, "new", "--example", "headline", str(example)])
        if status:
            return status
    return call([layerloom, str(example)])


def test(arguments: Sequence[str]) -> int:
    """Run the tests, without a screen unless QT_QPA_PLATFORM says otherwise."""
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    os.chdir(ROOT)
    return call([str(executable("python")), "-m", "pytest", *arguments], environment)


def say(text: str) -> None:
    """Tell the user what happens, before the programs we start say more."""
    print(text, flush=True)


def parse(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Split the command line into our command and what is passed through."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s {run,test,setup} [-- ...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS)
    command: str = parser.parse_args(arguments[:1]).command
    rest = list(arguments[1:])
    return command, rest[1:] if rest[:1] == ["--"] else rest


def main(arguments: Sequence[str]) -> int:
    """Do one command and give the exit status."""
    try:
        check_python()
        command, rest = parse(arguments)
        prepare(RUNTIME if command == "run" else DEV)
        if command == "run":
            return run(rest)
        return test(rest) if command == "test" else 0
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
    except OSError as problem:
        print(f"\nCannot use {problem.filename or 'a file'}: {problem.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
