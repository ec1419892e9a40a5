"""Which format bronze has, and the points beside it: a number in bronze/FORMAT; without one, 1.

Whoever changes them so that this code would misread them raises the number, and lands the mark
before the first file of the new kind. It lies in bronze, so that it goes with every copy, backup
and restore of it, and is looked at before a session changes anything.
"""

from pathlib import Path

from tracklake.errors import StorageError

KNOWN = 1
NAME = "FORMAT"
_MOST_BYTES = 64


def expect_known(bronze: Path, called: str | None = None) -> None:
    """Raise StorageError if a newer Tracklake wrote bronze, or the mark cannot be understood.

    called: what a person is to read in place of the folder.
    """
    where = called or f"{bronze}"
    try:
        with (bronze / NAME).open("rb") as file:
            told = file.read(_MOST_BYTES).decode("ascii", errors="replace").strip()
    except FileNotFoundError:
        return
    if not told.isdecimal() or int(told) == 0:
        raise StorageError(
            f"{where}: {NAME} is damaged, it should hold the number of bronze's format; nothing "
            "was changed. Put a sound copy there: `tracklake backup restore --to FOLDER` gives "
            "the newest backup's"
        )
    if int(told) > KNOWN:
        raise StorageError(
            f"{where} was written by a newer Tracklake (format {int(told)}, this one knows "
            f"{KNOWN}); nothing was changed: update Tracklake"
        )
