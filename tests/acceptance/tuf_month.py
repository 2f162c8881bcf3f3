#!/usr/bin/env python3
"""Acceptance 4: python-tuf reads each of the thirty daily versions that `tuf-month` wrote, and follows them day by day,
from the first to the last, or with a month between."""

import pathlib
import sys
import tempfile

from tuf.api.exceptions import ExpiredMetadataError
from tuf_reader import At, Directory, read


def main(month):
    days = sorted(path for path in month.iterdir() if path.name.isdigit())
    assert len(days) == 30, f"{len(days)} versions in {month}"
    homes = pathlib.Path(tempfile.mkdtemp(prefix="tuf-month-"))
    root = days[0] / "1.root.json"

    def visit(day, home):
        with At(int((day / "now").read_text())):
            return read("dir://", root, homes / home, Directory(day))

    for number, day in enumerate(days, 1):
        for home in (f"new-{number}", "daily"):
            versions = visit(day, home)
            expected = {"root": 1, "targets": 1, "snapshot": number, "timestamp": number}
            assert versions == expected, f"day {number}: {versions}"
    print("python-tuf reads each of 30 daily versions, as a new client and as one that comes every day: pass")

    visit(days[0], "behind")
    assert visit(days[-1], "behind")["timestamp"] == 30
    print("python-tuf, a month behind, updates: pass")

    # Nobody is kept at an old version for longer than a week.
    try:
        with At(int((days[-1] / "now").read_text())):
            read("dir://", root, homes / "frozen", Directory(days[0]))
    except ExpiredMetadataError:
        print("python-tuf refuses the first version a month later: pass")
    else:
        raise AssertionError("a month-old repository was accepted")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
