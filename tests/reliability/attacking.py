"""Opens every file made to do harm, in this process, and says what came of each.

python -m tests.reliability.attacking FOLDER
"""

import json
import sys
from pathlib import Path

from tests.reliability import seeds
from tests.reliability.attacks import ATTACKS
from tests.reliability.opening import tried, warm_up


def main(folder: Path, wanted: str = "") -> None:
    """A line of JSON for each: its name, and "refused", "opens" or what went wrong."""
    place = folder / "place"
    place.mkdir()
    warm_up(seeds.write_all(folder / "seeds"), place)
    for name, attack in ATTACKS.items():
        if wanted in name:
            found = tried(attack.kind, attack.make(), attack.suffix, place)
            print(json.dumps([name, found or "opens"]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
