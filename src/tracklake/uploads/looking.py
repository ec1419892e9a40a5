"""Whether what Strava lists right now is the activity that is about to go: pure.

What the warehouse knows of Strava's list is decided there. Only what came since is compared, as
matching compares any two records; and where another activity fits it better, it is that one's.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tracklake.matching import DOUBTFUL, REACH_S, SURE, Record
from tracklake.uploads.candidates import Basis, File, Outing, There, likeness

Verdict = Literal["ours", "there", "doubtful"]


class Seen(NamedTuple):
    """An activity that Strava lists, and the name under which it was uploaded."""

    record: Record
    external_id: str | None


class Found(NamedTuple):
    """What is in the way of a file: our own upload, the same, or what may be the same."""

    verdict: Verdict
    activity_id: str


def name_of(external_id: str | None) -> str:
    """Return the name that an upload was given; Strava appends the kind of the file."""
    return (external_id or "").partition(".")[0]


@dataclass(slots=True)
class Lookout:
    """Judges Strava's list for one file after the other."""

    basis: Basis
    _outings: dict[int, Outing] = field(init=False)
    _owners: dict[str, int] = field(init=False)
    _starts: list[tuple[float, int, Record]] = field(init=False)

    def __post_init__(self) -> None:
        """Sort what is looked up for each file."""
        lacking = [outing for outing in self.basis.outings if outing.strava_id is None]
        self._outings = {outing.activity_id: outing for outing in lacking}
        self._owners = {
            file.external_id: outing.activity_id
            for outing in self.basis.outings
            for file in outing.files
        }
        found = [
            (record.start_s, outing.activity_id, record)
            for outing in lacking
            for record in outing.records
            if record.start_s is not None
        ]
        self._starts = sorted(found, key=lambda one: one[0])

    def found(self, file: File, seen: Sequence[Seen]) -> Found | None:
        """Return what is in a file's way, the surest first; None: Strava lacks it."""
        for one in seen:
            if name_of(one.external_id) == file.external_id:
                return Found("ours", one.record.source_id)
        verdicts = [(self._verdict(file, one), one.record.source_id) for one in seen]
        for wanted in ("there", "doubtful"):
            for verdict, activity_id in verdicts:
                if verdict == wanted:
                    return Found(verdict, activity_id)
        return None

    def _verdict(self, file: File, one: Seen) -> Verdict | None:
        owner = self._owner(one)
        if owner is not None:
            return "there" if owner == file.activity_id else None
        outing = self._outings.get(file.activity_id)
        sureness = likeness(outing.records if outing else (), one.record)
        if sureness < DOUBTFUL:
            return None
        is_others = any(
            likeness((record,), one.record) > sureness
            for _, activity_id, record in self._around(one.record)
            if activity_id != file.activity_id
        )
        return "there" if sureness >= SURE and not is_others else "doubtful"

    def _owner(self, one: Seen) -> int | None:
        """Return whose record it is, where the warehouse knows it as it is listed."""
        known = self.basis.there.get(one.record.source_id)
        if known is not None and _is_as(known, one.record):
            return known.activity_id
        return self._owners.get(name_of(one.external_id))

    def _around(self, record: Record) -> Iterable[tuple[float, int, Record]]:
        at_s = record.start_s or 0.0
        first = bisect_left(self._starts, at_s - REACH_S, key=lambda one: one[0])
        return self._starts[
            first : bisect_right(self._starts, at_s + REACH_S, key=lambda one: one[0])
        ]


def _is_as(known: There, listed: Record) -> bool:
    pairs = (
        (known.start_s, listed.start_s),
        (known.elapsed_s, listed.elapsed_s),
        (known.distance_m, listed.distance_m),
    )
    return all(abs((mine or 0.0) - (other or 0.0)) < 1.0 for mine, other in pairs)
