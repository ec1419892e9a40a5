"""Strava exports that lie unpacked in folders: which of their tables to read, what came of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tracklake.errors import InvalidData
from tracklake.intake import strava_export
from tracklake.intake.expansion import read_exports
from tracklake.intake.finding import Candidate
from tracklake.intake.strava_export import Export
from tracklake.intake.workers import Task, Workers, verdict


@dataclass(slots=True)
class Tables:
    """Tables that were read, by what a person calls them, and what is in them."""

    exports: list[Export] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    refused: list[tuple[str, InvalidData]] = field(default_factory=list)


def wanted(
    listed: Iterable[Candidate], new: Iterable[Candidate], is_set_aside: Callable[[str], bool]
) -> dict[str, dict[str, str]]:
    """Choose the tables of folders in which anything is new: paths by name, by folder.

    One that is set aside waits until it is new itself: it was changed, or its next try is due.
    """
    names = {one.shown for one in new}
    folders: dict[str, dict[str, str]] = {}
    for one in listed:
        if not strava_export.is_table(one.shown):
            continue
        if is_set_aside(one.shown) and one.shown not in names:
            continue
        folder = one.shown[: -len(strava_export.base_name(one.shown))]
        if any(name.startswith(folder) for name in names):
            folders.setdefault(folder, {})[one.shown] = one.path
    return folders


def read(
    workers: Workers,
    folders: dict[str, dict[str, str]],
    listed: Iterable[Candidate],
    athlete: str,
) -> Tables:
    """Read the tables of each folder; one that cannot be read costs only itself."""
    found = Tables()
    names = [one.shown for one in listed]
    for folder, tables in folders.items():
        found.exports += _read_folder(workers, tables, athlete, found)
        shown = f"{folder}{strava_export.ACTIVITIES}"
        is_export = any(export.shown == shown for export in found.exports)
        beside = any(name.startswith(f"{folder}activities/") for name in names)
        if shown in found.read and beside and not is_export:
            message = "its columns are not those of a Strava export"
            found.read.remove(shown)
            found.refused.append((shown, InvalidData(message, reason="unknown_table")))
    return found


def _read_folder(
    workers: Workers, tables: dict[str, str], athlete: str, found: Tables
) -> list[Export]:
    """Read a folder's tables together; where that fails, add one by one to find which is bad."""
    future = workers.done(Task(read_exports, (tables, athlete), 0))
    if future.exception() is None:
        found.read += tables
        return future.result()
    good: dict[str, str] = {}
    exports: list[Export] = []
    activities_first = sorted(tables, key=lambda shown: not _is_of_activities(shown))
    for shown in activities_first:
        future = workers.done(Task(read_exports, ({**good, shown: tables[shown]}, athlete), 0))
        error = future.exception()
        if error is None:
            good[shown] = tables[shown]
            exports = future.result()
        else:
            found.refused.append((shown, verdict(error)))
    found.read += good
    return exports


def _is_of_activities(shown: str) -> bool:
    return strava_export.base_name(shown).lower() == strava_export.ACTIVITIES
