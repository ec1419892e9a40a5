"""What a worker does with an archive: list what is in it, unpack archives in it, read its tables.

Members that are activities are not unpacked here: whoever decodes them reads them from the archive.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from tracklake import landing
from tracklake.errors import InvalidData
from tracklake.intake import containers, originals, strava_export, zip_reader
from tracklake.intake.finding import is_hidden, printable
from tracklake.intake.originals import Job, Place

MOST_ACTIVITIES = 100_000
MOST_DEPTH = 3  # Garmin's export is a ZIP of ZIPs
_MOST_NESTED_BYTES = 8 << 30
_MOST_TABLE_BYTES = 64 << 20


@dataclass(slots=True, kw_only=True)
class Expansion:
    """What an archive holds. refused: what a person calls it, and why it is set aside."""

    jobs: list[Job] = field(default_factory=list)
    refused: list[tuple[str, InvalidData]] = field(default_factory=list)
    exports: list[strava_export.Export] = field(default_factory=list)
    ignored: int = 0
    tables: dict[str, bytes] = field(default_factory=dict)  # by what a person calls them


def expand(path: str, shown: str, place: Place) -> Expansion:
    """List an archive's activity files; a bad member costs only itself.

    Raises InvalidData for an archive that cannot be read, StorageError for a full disk.
    """
    found = Expansion()
    _expand(Path(path), shown, place, 1, found)
    found.exports = strava_export.exports(found.tables, place.athlete)
    found.tables = {}
    return found


def read_exports(tables: dict[str, str], athlete: str) -> list[strava_export.Export]:
    """Read the tables of exports that lie in folders: paths by what a person calls them."""
    contents = {}
    for shown, path in tables.items():
        with Path(path).open("rb") as stream:
            contents[shown] = stream.read(_MOST_TABLE_BYTES)
    return strava_export.exports(contents, athlete)


def _expand(path: Path, shown: str, place: Place, depth: int, found: Expansion) -> None:
    with path.open("rb") as stream:
        for member in zip_reader.members(stream):
            if not member.is_file or any(is_hidden(part) for part in member.name.split("/")):
                continue
            name = f"{shown}!{printable(member.name)}"
            try:
                if _sort_in(stream, member, Job(path=str(path), shown=name, size_bytes=0), found):
                    _expand(_unpacked(stream, member, place, depth), name, place, depth + 1, found)
            except InvalidData as error:
                if error.reason == "too_many_members" and len(found.jobs) > MOST_ACTIVITIES:
                    raise
                if containers.claim(name) or name.lower().endswith(".zip"):
                    found.refused.append((name, error))
                else:
                    found.ignored += 1


def _sort_in(stream: BinaryIO, member: zip_reader.Member, job: Job, found: Expansion) -> bool:
    """Enter a member where it belongs; tell whether it is an archive itself."""
    head = next(zip_reader.read(stream, member, most_bytes=_MOST_NESTED_BYTES), b"")
    kind = containers.sniff(head[: containers.HEAD_BYTES])
    if kind == "zip":
        return True
    if kind != "unknown" or containers.claim(job.shown):
        size = min(member.unpacked_bytes, containers.MOST_BYTES) * (4 if kind == "gzip" else 1)
        found.jobs.append(replace(job, member=member, size_bytes=size))
    elif strava_export.is_table(job.shown):
        content = zip_reader.read(stream, member, most_bytes=_MOST_TABLE_BYTES)
        found.tables[job.shown] = b"".join(content)
    else:
        found.ignored += 1
    if len(found.jobs) > MOST_ACTIVITIES:
        message = f"it holds more than {MOST_ACTIVITIES:,} activity files"
        raise InvalidData(message, reason="too_many_members")
    return False


def _unpacked(stream: BinaryIO, member: zip_reader.Member, place: Place, depth: int) -> Path:
    """Unpack an archive in an archive beside the originals, where the next run sweeps."""
    if depth >= MOST_DEPTH:
        message = f"archives in archives are opened {MOST_DEPTH} deep"
        raise InvalidData(message, reason="nested_too_deep")
    path = landing.temporary_beside(place.spool / "nested.zip")
    pieces = zip_reader.read(stream, member, most_bytes=_MOST_NESTED_BYTES)
    with path.open("wb") as copy:
        for piece in pieces:
            originals.check_room(place, len(piece))
            with originals.disk_trouble_said():
                copy.write(piece)
    return path
