"""Bronze rows of what a file holds: one a recording, and one a leg of a multisport one."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tracklake.identity import record_id, stable_id
from tracklake.model import Activity, ActivityLap, BestEffort, Recording, Shaped, Split

SOURCE = "files"
_NESTED = ("laps", "splits_metric", "splits_standard", "best_efforts")
_COLUMNS: dict[type, tuple[str, ...]] = {
    kind: tuple(field.name for field in dataclasses.fields(kind))
    for kind in (Activity, ActivityLap, Split, BestEffort)
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is known of a file beside its content.

    stamp: unlike any other landing's, so that streams of an earlier landing are never taken for
    this one's.
    """

    athlete: str
    file_sha256: str
    file_format: str
    external_id: str
    stamp: str
    problems: tuple[str, ...] = ()


def rows(
    origin: Origin, found: list[tuple[Recording, tuple[Shaped, ...]]]
) -> Iterator[tuple[dict[str, object], int | None, Shaped]]:
    """Yield a row, the key of its streams if it has any, and what it was made of.

    One for each of a file's recordings and legs: the first recording's id is the file's hash, the
    second's ends in #2, legs' in /1, /2, …
    """
    for number, (recording, shaped) in enumerate(found, start=1):
        whole_id = origin.file_sha256 + (f"#{number}" if number > 1 else "")
        parent = record_id(origin.athlete, SOURCE, whole_id)
        for one in shaped:
            leg = one.activity.leg_index
            source_id = f"{whole_id}/{leg}" if leg else whole_id
            own = record_id(origin.athlete, SOURCE, source_id)
            key = stable_id(str(own), origin.stamp) if len(one.points) else None
            row: dict[str, object] = {
                "source": SOURCE,
                "athlete": origin.athlete,
                "source_id": source_id,
                "record_id": own,
                "parent_record_id": parent if leg else None,
                "stream_key": key,
                "file_sha256": origin.file_sha256,
                "external_id": origin.external_id,
                "manual": False,
                "file_format": origin.file_format,
                "problems": [*origin.problems, *recording.problems],
                **activity_fields(one.activity),
            }
            yield row, key, one


def activity_fields(activity: object) -> dict[str, object]:
    """Turn an Activity into columns; its laps, splits and efforts into lists of columns."""
    columns = _plain(activity)
    for name in _NESTED:
        parts = columns[name]
        assert isinstance(parts, tuple)  # noqa: S101 model.py says so
        columns[name] = [_plain(part) for part in parts]
    return columns


def _plain(shape: object) -> dict[str, object]:
    return {name: _scalar(getattr(shape, name)) for name in _COLUMNS[type(shape)]}


def _scalar(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
