"""What lies below a folder, links followed.

Q: Why may a table name nothing else?
A: It may come from anybody, and what it names is shown, trained on and put into reports, which are
   sent on. A picture it takes from elsewhere is one that whoever wrote it was not given.
"""

import os
from functools import cached_property
from pathlib import Path


class Below:
    """Tells what lies below a folder: ``path in Below(folder)``."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self._known: dict[Path, bool] = {}  # folders that were asked for

    @cached_property
    def _whole(self) -> Path:
        return Path(os.path.realpath(self._folder))

    def __contains__(self, path: Path) -> bool:
        if path.drive not in ("", self._folder.drive, self._whole.drive):
            return False  # not even looked at: another machine would be told who asks
        try:
            if path == self._folder or path.name == ".." or path.is_symlink():
                return self.holds(path)
            parent = path.parent
            if parent not in self._known:
                self._known[parent] = self.holds(parent)
            return self._known[parent]
        except (OSError, ValueError):  # what cannot be the name of anything
            return False

    def holds(self, path: Path) -> bool:
        """The same, whatever the path is: Windows has folders that lead elsewhere and no links."""
        return Path(os.path.realpath(path)).is_relative_to(self._whole)
