"""The command line as the tests call it."""

import os
import subprocess
import sys
from pathlib import Path

from studio import cli

COLUMNS = {
    "main_input": "headline",
    "aux_input": "hour,weekday,words,pictures,links",
    "main_output": "popular",
    "aux_output": "popular",
}


def layerloom(*arguments: str | Path) -> int:
    """Run the command in this process; its exit status."""
    before = sys.argv
    sys.argv = ["layerloom", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as status:
        return int(status.code or 0)
    finally:
        sys.argv = before
    return 0


def mistake(*arguments: str | Path) -> tuple[int, str]:
    """Status and stderr of the command in a process of its own."""
    command = [sys.executable, "-m", "studio.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def without_screen(*arguments: str | Path) -> tuple[int, str, str]:
    """The command in a process without any screen: its status, its output, its errors."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("DISPLAY", "WAYLAND", "QT_"))}
    words = [sys.executable, "-c", "from studio.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(words, env=bare, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr
