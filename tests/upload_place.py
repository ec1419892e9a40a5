"""A place with files that Strava lacks, and what tests of uploading ask of it."""

import contextlib
import dataclasses
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources.inbox import START_S, fit_bytes
from tests.sources.strava_place import Place, opened
from tests.upstream.calls import Call
from tests.upstream.observed import error
from tests.upstream.status_faults import Status
from tests.upstream.tokens import ALL_SCOPES
from tracklake import uploadable
from tracklake.sources import files
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


def began(day: float) -> dt.datetime:
    """Return when the file of a day begins."""
    return dt.datetime.fromtimestamp(START_S, dt.UTC) + dt.timedelta(days=day)


def synced(place: Place, day: float, points: int = 120, **changes: Any) -> int:
    """Let the watch's own sync bring the run of a day's file to Strava; return its id there."""
    told: dict[str, Any] = {"sport_type": "Run", "gps": False, "start": began(day)}
    told |= {"elapsed_time": points, "moving_time": points - 1, "distance": 3.3 * (points - 1)}
    return place.upstream.account.upload(**(told | changes))


def put(place: Place, name: str, content: bytes) -> None:
    """Put a file into the inbox."""
    place.folders.inbox.mkdir(parents=True, exist_ok=True)
    (place.folders.inbox / name).write_bytes(content)


def fetch(place: Place) -> None:
    """Read the inbox, and Strava's whole list, into the warehouse."""
    with place.session() as session:
        files.pull(session)
    place.advance(seconds=1)
    place.reconcile()
    place.compact()


def upload(place: Place, **options: Any) -> UploadReport:
    """Run `tracklake upload`; options are those of UploadOptions, and of Wish."""
    wish = {name: options.pop(name) for name in ("since_s", "sports", "again") if name in options}
    with place.session() as session:
        report = UploadReport(is_plan=bool(options.get("dry_run")))
        uploadable.upload(session, UploadOptions(wish=Wish(**wish), **options), report)
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
    with place.session() as session:
        found = uploadable.basis(session)
    return {file.file_sha256 for outing in found.outings for file in outing.files}


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
