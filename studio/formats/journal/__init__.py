"""What is done to a project, written down at once, to be had again after a crash."""

from studio.formats.journal.recorder import Recorder
from studio.formats.journal.recovery import Found, Recovered, recover

__all__ = ["Found", "Recorder", "Recovered", "recover"]
