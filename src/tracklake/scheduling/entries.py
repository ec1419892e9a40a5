"""What was run of each line of the crontab, as it is kept between two starts; pure."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracklake.clock import UTC

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A slot whose run began and did not end, or is to begin again when the lock may be free."""

    slot: dt.datetime
    began: dt.datetime
    starts: int = 1  # that did not end, without those that were asked to stop
    busy: int = 0  # how often another flow held the lock
    not_before: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a slot; `exit_code` is None where its command never ended by itself."""

    slot: dt.datetime
    began: dt.datetime
    ended: dt.datetime
    exit_code: int | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the crontab: all its slots up to `settled` (UTC) are done with."""

    command: str
    zone: str
    settled: dt.datetime
    open: Open | None = None
    last: Outcome | None = None


Entries = Mapping[str, Entry]  # by Line.key


def to_json(entries: Entries) -> dict[str, Any]:
    """Return what can be written as JSON."""
    lines = {key: dataclasses.asdict(entry) for key, entry in entries.items()}
    return {"version": VERSION, "lines": lines}


def from_json(found: object) -> dict[str, Entry]:
    """Read what `to_json` gave; raise ValueError if it is anything else."""
    try:
        if not isinstance(found, dict) or found["version"] != VERSION:
            raise ValueError("not of this version")
        return {str(key): _entry(dict(fields)) for key, fields in dict(found["lines"]).items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def _entry(fields: dict[str, Any]) -> Entry:
    return Entry(
        command=str(fields["command"]),
        zone=str(fields["zone"]),
        settled=_moment(fields["settled"]),
        open=None if fields["open"] is None else _open(fields["open"]),
        last=None if fields["last"] is None else _outcome(fields["last"]),
    )


def _open(fields: dict[str, Any]) -> Open:
    not_before = fields["not_before"]
    return Open(
        slot=_moment(fields["slot"]),
        began=_moment(fields["began"]),
        starts=int(fields["starts"]),
        busy=int(fields["busy"]),
        not_before=None if not_before is None else _moment(not_before),
    )


def _outcome(fields: dict[str, Any]) -> Outcome:
    code = fields["exit_code"]
    return Outcome(
        slot=_moment(fields["slot"]),
        began=_moment(fields["began"]),
        ended=_moment(fields["ended"]),
        exit_code=None if code is None else int(code),
        said=str(fields["said"]),
    )


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone")
    return moment.astimezone(UTC)
