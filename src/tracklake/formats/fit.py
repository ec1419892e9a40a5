"""Reads FIT files of any maker, whole or damaged, as columns."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from tracklake.errors import InvalidData
from tracklake.formats import fit_activity as activity
from tracklake.formats import fit_names as names
from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_developer import fill_from_developer_fields
from tracklake.formats.fit_doubts import believable, clock_doubts
from tracklake.formats.fit_fallback import decode_with_fitparse
from tracklake.formats.fit_layout import Messages
from tracklake.formats.fit_parts import Part, parts
from tracklake.formats.fit_records import Records, read_records
from tracklake.formats.fit_walk import walk
from tracklake.model import Points, Recording


@dataclass(frozen=True, slots=True)
class FitPart:
    """One part of a (chained) file as it stands there: points, all messages, what is wrong."""

    points: Points
    records: Records
    messages: tuple[Messages, ...]
    problems: tuple[str, ...]


def read(data: bytes | memoryview) -> tuple[FitPart, ...]:
    """Read the parts of a file without interpreting them; nothing readable gives no parts."""
    octets = bytes(data)
    frames, problems = parts(octets)
    return tuple(
        _read_part(octets, frame, problems if index == 0 else ())
        for index, frame in enumerate(frames)
    )


def _read_part(data: bytes, frame: Part, outer: tuple[str, ...]) -> FitPart:
    walked = walk(data, frame.start, frame.end)
    records = read_records(data, walked.messages)
    beyond = (f"{records.omitted} records too many were left out",) if records.omitted else ()
    problems = (*outer, *frame.problems, *walked.problems, *beyond)
    return FitPart(records.points, records, walked.messages, problems)


def decode(data: bytes | memoryview) -> tuple[Recording, ...]:
    """Read a FIT file; several recordings for a chained file that holds several activities.

    data: the bytes of one file, not compressed. Damage never raises where something was
    recovered: `problems` says what is wrong. Raises InvalidData with reason "not_fit" or
    "fit_empty" where nothing can be read.
    """
    octets = bytes(data)
    read_parts = read(octets)
    if not read_parts:
        raise InvalidData("this is no FIT file", reason="not_fit")
    recordings = tuple(
        recording for part in read_parts if (recording := _recording(octets, part)) is not None
    )
    if not recordings:
        return decode_with_fitparse(octets)
    activities = tuple(part for part in recordings if part.kind == "activity")
    return _with_all_problems(activities or recordings, read_parts)


def _with_all_problems(
    recordings: tuple[Recording, ...], read_parts: tuple[FitPart, ...]
) -> tuple[Recording, ...]:
    """Say in the first recording what is wrong with parts that became no recording."""
    said = {problem for recording in recordings for problem in recording.problems}
    unsaid = tuple(
        problem for part in read_parts for problem in part.problems if problem not in said
    )
    if not unsaid:
        return recordings
    first = dataclasses.replace(recordings[0], problems=(*recordings[0].problems, *unsaid))
    return (first, *recordings[1:])


def _recording(data: bytes, part: FitPart) -> Recording | None:
    """Return what a part says of an outing, None if it says nothing (a strap's heart rates)."""
    tables = activity.tables_of(data, part.messages)
    file_id = next(iter(tables(profile.FILE_ID, 1)), {})
    points = fill_from_developer_fields(data, part.messages, part.records)
    points, doubts = believable(points, is_damaged=bool(part.problems))
    sessions = activity.read_sessions(tables, points)
    laps = activity.read_laps(tables, points)
    has_content = bool(len(points) or sessions or laps)
    kind = _kind(activity.whole(file_id, "type"), has_content, bool(sessions))
    if kind in ("activity", "unknown") and not has_content:
        return None
    return Recording(
        format="fit",
        kind=kind,
        problems=(*part.problems, *doubts, *(clock_doubts(points) if kind == "activity" else ())),
        points=points,
        sessions=sessions,
        laps=laps,
        pauses=activity.read_pauses(tables),
        device=activity.read_device(tables, file_id),
        created_s=activity.moment(file_id, "time_created"),
        utc_offset_s=activity.read_utc_offset(tables),
    )


def _kind(file_type: int | None, has_content: bool, has_sessions: bool) -> str:
    if file_type is None:
        return "activity" if has_content else "unknown"
    kind = names.FILE_TYPES.get(file_type, str(file_type))
    return "activity" if kind == "activity_summary" and has_sessions else kind
