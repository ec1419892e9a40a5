"""What the original file of a service's activity holds: its points, laps, splits, efforts."""

import dataclasses
import hashlib
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracklake.errors import InvalidData
from tracklake.intake import containers, looking, zip_reader
from tracklake.model import POINT_COLUMNS, Format, Outline, Points, Shaped


def activity_file(data: bytes) -> bytes:
    """Return a file as a service sent it, or the activity file in a ZIP that it sent.

    Raises InvalidData where that holds none, or more than one.
    """
    if containers.sniff(data[: containers.HEAD_BYTES]) != "zip":
        return data
    stream = io.BytesIO(data)
    found = []
    for member in zip_reader.members(stream):
        if member.is_file and not member.name.rpartition("/")[2].startswith("."):
            content = b"".join(zip_reader.read(stream, member))
            if containers.sniff(content[: containers.HEAD_BYTES]) not in ("unknown", "zip"):
                found.append(content)
    if len(found) != 1:
        said = f"the archive holds {len(found)} activity files, not one"
        raise InvalidData(said, reason="no_activity_file")
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What an original holds.

    details: in the columns of `activity_details`; place: where it was, in those of
    `activity_streams`.
    """

    file_sha256: str
    file_format: Format | None
    details: dict[str, object]
    place: dict[str, object]
    outline: Outline
    problems: tuple[str, ...] = ()


def decode(path: str) -> Decoded:
    """Read an original that is on disk; what a worker does. InvalidData if it is no activity."""
    data = activity_file(Path(path).read_bytes())
    content, problem = data, None
    if containers.sniff(data[: containers.HEAD_BYTES]) == "gzip":
        content, problem = containers.gunzip(data)
    kind = looking.format_of(path, content)
    found, problems = looking.shaped(looking.recordings(kind, content))
    if not found:
        raise InvalidData("; ".join(problems) or "it holds no activity", reason="not_activity")
    recording, parts = found[0]  # a service's activity is one outing
    said = [problem] if problem else []
    return Decoded(
        file_sha256=hashlib.sha256(content).hexdigest(),
        file_format=kind,
        details=_details(parts[0]),
        # A service may list each leg by itself, with the file of all: that tells no leg's place.
        place=_place(parts[0]) if len(parts) == 1 else {},
        outline=_outline(parts),
        problems=(*said, *problems, *recording.problems),
    )


def _details(whole: Shaped) -> dict[str, object]:
    activity = whole.activity
    laps = [
        {**dataclasses.asdict(lap), "start_s": activity.start_s + lap.start_offset_s}
        for lap in activity.laps
    ]
    return {
        "device_name": activity.device_name,
        "laps": laps,
        "splits_metric": [dataclasses.asdict(split) for split in activity.splits_metric],
        "splits_standard": [dataclasses.asdict(split) for split in activity.splits_standard],
    }


def _place(whole: Shaped) -> dict[str, object]:
    names = ("start_lat", "start_lng", "end_lat", "end_lng", "summary_polyline")
    return {name: getattr(whole.activity, name) for name in names}


def _outline(parts: tuple[Shaped, ...]) -> Outline:
    """Put the points of all legs in a row; an outing without legs has its own."""
    whole = parts[0]
    legs = [part for part in parts if len(part.points)]
    columns = {
        name: np.concatenate([getattr(leg.points, name) for leg in legs] or [np.empty(0)])
        for name in POINT_COLUMNS
    }
    return Outline(
        start_s=whole.start_s,
        points=Points(**columns),
        moving=np.concatenate([leg.moving for leg in legs] or [np.empty(0, dtype=np.bool_)]),
        grade_pct=np.concatenate([leg.grade_pct for leg in legs] or [np.empty(0)]),
        track=tuple(itertools.chain.from_iterable(part.track for part in parts)),
        best_efforts=whole.activity.best_efforts,
    )
