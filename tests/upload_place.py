"""A place with files that Strava lacks, and what tests of uploading ask of it."""

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place, opened
from tests.upstream.calls import Call
from tests.upstream.observed import error
from tests.upstream.status_faults import Status
from tests.upstream.tokens import ALL_SCOPES
from tracklake.sources import files
from tracklake.uploads import gathering, stage
from tracklake.uploads.candidates import Wish
from tracklake.uploads.report import UploadOptions, UploadReport

WRITE_SCOPES = (*ALL_SCOPES, "activity:write")
DAYS = (1, 3, 5)


@dataclasses.dataclass
class TurnedAway(Status):
    """A status that is given before the file is looked at: it is not taken."""

    def spoil_call(self, call: Call) -> None:
        call.body = b""


def turned_away(name: str) -> TurnedAway:
    """Return an error as it was observed, given before the file is looked at."""
    found = error(name)
    return TurnedAway(found.status, found.payload)


@contextlib.contextmanager
def upload_place(folder: Path, days: tuple[int, ...] = DAYS, **options: Any) -> Iterator[Place]:
    """Open a place with a file for each of `days`, and a Strava that has none of them."""
    options = {"activities": 4, "points": 5, "scopes": WRITE_SCOPES} | options
    with opened(folder, **options) as place:
        for day in days:
            put(place, f"{day}.fit", fit_bytes(day))
        fetch(place)
        yield place


@contextlib.contextmanager
def copied_place(ready: Path, folder: Path) -> Iterator[Place]:
    """Open a copy of a place that was fetched before, at a Strava with the same account."""
    shutil.copytree(ready / "data", folder / "data")
    with opened(folder, activities=4, points=5, scopes=WRITE_SCOPES) as place:
        place.advance(seconds=60)
        yield place


def put(place: Place, name: str, content: bytes) -> None:
    """Put a file into the inbox."""
    place.folders.inbox.mkdir(parents=True, exist_ok=True)
    (place.folders.inbox / name).write_bytes(content)


def fetch(place: Place) -> None:
    """Read the inbox, and Strava's whole list."""
    with place.session() as session:
        files.pull(session)
    place.advance(seconds=1)
    place.reconcile()


def upload(place: Place, **options: Any) -> UploadReport:
    """Run `tracklake upload`; options are those of UploadOptions, and of Wish."""
    wish = {name: options.pop(name) for name in ("since_s", "sports", "again") if name in options}
    with place.session() as session:
        report = UploadReport(is_plan=bool(options.get("dry_run")))
        stage.upload(session, UploadOptions(wish=Wish(**wish), **options), report)
        return report


def states(place: Place) -> dict[str, str]:
    """Return the ledger: each file's state by its content's hash."""
    rows = place.state("select file_sha256, state from uploads where athlete = ?", place.athlete)
    return {str(sha256): str(state) for sha256, state in rows}


def posts(place: Place, since: int = 0) -> list[Call]:
    """Return the calls that sent a file."""
    return [call for call in place.upstream.calls if call.number > since and call.method == "POST"]


def wanted(place: Place) -> set[str]:
    """Return the hashes of all files that are here."""
    found, _ = gathering.gathered(place.folders, place.athlete)
    return {file.file_sha256 for file in found}


def is_whole(place: Place) -> list[str]:
    """Say what is wrong: a file that is not on Strava, or is there twice, or was taken twice."""
    desk = place.upstream.uploads
    said = [f"taken {count} times" for count in desk.taken().values() if count > 1]
    created = [content for _, content in desk.created]
    if len(created) != len(set(created)):
        said.append("created twice")
    if len(set(created)) != len(wanted(place)):
        said.append(f"{len(wanted(place))} wanted, {len(set(created))} created")
    open_states = set(states(place).values()) - {"done", "duplicate"}
    return said + sorted(open_states)
