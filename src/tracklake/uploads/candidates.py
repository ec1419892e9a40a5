"""Which activities Strava lacks, and which file of each goes: pure.

What is one activity was decided by matching, and stands in the warehouse; it is not decided again
here. An upload cannot be taken back, so in doubt it stays. Times are UNIX seconds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tracklake.matching import DOUBTFUL, Record, compared

FEWEST_BYTES, MOST_BYTES = 1, 25_000_000  # what Strava takes
MAY_BE_THERE = "may be on Strava (`tracklake duplicates`)"
MAY_BE_ANOTHER = "may be the same as one that goes (`tracklake duplicates`)"
STILL_TO_COME = "whose file is still to come (the next pull)"

State = Literal["pending", "uploading", "processing", "done", "duplicate", "there", "failed"]
_FORMATS = ("fit", "tcx", "gpx")  # which of several files of one activity says most
_SOURCES = ("garmin", "files")
_WENT: dict[State, str] = {
    "done": "uploaded before",
    "duplicate": "on Strava",
    "uploading": "on the way",
    "processing": "on the way",
}


class Past(NamedTuple):
    """What the ledger says of a file; activity_id: Strava's."""

    state: State
    activity_id: str | None = None


class There(NamedTuple):
    """Strava's record of an activity, as the warehouse has it."""

    activity_id: int
    start_s: float | None
    elapsed_s: float | None
    distance_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of one activity. location: below the data folder; problem: why it stays, if it does.

    activity_id: the warehouse's.
    """

    activity_id: int
    file_sha256: str
    source: str
    source_id: str
    location: str
    file_format: str
    sport_type: str
    start_s: float
    elapsed_s: float
    utc_offset_s: float = 0.0
    name: str | None = None
    trainer: bool = False
    points: int = 0
    problem: str | None = None

    @property
    def external_id(self) -> str:
        """The name under which Strava knows the file; the same for ever."""
        return f"tracklake-{self.file_sha256[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """An activity that somebody else than Strava has.

    records: what is said of it, for a comparison with what Strava lists; empty where it is there.
    why: why it stays, whichever of its files; strava_id: what Strava has, or had, of it.
    """

    activity_id: int
    start_s: float
    utc_offset_s: float = 0.0
    sport_type: str = ""
    name: str | None = None
    records: tuple[Record, ...] = ()
    files: tuple[File, ...] = ()
    why: str | None = None
    strava_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the warehouse says. doubts: which activities may be one, by each.

    there: Strava's records by its ids, those that are deleted too; deleted: those that belong to
    nothing else. is_behind: bronze has something that the warehouse does not know yet.
    """

    outings: Sequence[Outing] = ()
    doubts: Mapping[int, frozenset[int]] = field(default_factory=dict)
    there: Mapping[str, There] = field(default_factory=dict)
    deleted: Sequence[Record] = ()
    is_behind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person wants uploaded. again: also what Strava refused before."""

    since_s: float | None = None
    sports: frozenset[str] = frozenset()
    again: bool = False


@dataclass(slots=True, kw_only=True)
class Plan:
    """files: to go, oldest first; there: files of what Strava has or had, with its id, that the
    ledger does not know as such; stays: the other activities, with why.
    """

    files: list[File] = field(default_factory=list)
    there: list[tuple[File, str]] = field(default_factory=list)
    stays: list[tuple[Outing, str]] = field(default_factory=list)

    @property
    def kept(self) -> dict[str, int]:
        """Return how many stay, by why."""
        return dict(Counter(why for _, why in self.stays))


def likeness(records: Iterable[Record], other: Record) -> float:
    """Return how sure it is that one of an activity's records and another are the same: 0 to 1."""
    matches = [compared(record, other) for record in records]
    return max((match.confidence for match in matches if match), default=0.0)


def plan(basis: Basis, ledger: Mapping[str, Past], wish: Wish, now_s: float) -> Plan:
    """Decide on every activity; `ledger` has the files that were dealt with before, by hash."""
    made, judging = Plan(), _Judging(basis, ledger, wish, now_s)
    taken = {one.activity_id for one in basis.there.values()}
    taken |= {outing.activity_id for outing in basis.outings if judging.is_taken(outing)}
    going: set[int] = set()
    for outing in sorted(basis.outings, key=_order_of_outing):
        doubts = basis.doubts.get(outing.activity_id, frozenset())
        why = judging.why_kept(outing)
        if why is None:
            why = MAY_BE_THERE if doubts & taken else MAY_BE_ANOTHER if doubts & going else None
        if why is None:
            going.add(outing.activity_id)
            made.files.append(judging.best(outing))
        else:
            made.stays.append((outing, why))
        made.there += judging.unknown_there(outing)
    made.files.sort(key=lambda file: (file.start_s, file.file_sha256))
    made.stays.sort(key=lambda stay: (stay[0].start_s, stay[0].activity_id))
    return made


@dataclass(frozen=True, slots=True)
class _Judging:
    """Decides on activities one by one."""

    basis: Basis
    ledger: Mapping[str, Past]
    wish: Wish
    now_s: float

    def is_taken(self, outing: Outing) -> bool:
        """Tell whether Strava has, or had, it, or is about to."""
        return outing.strava_id is not None or self._by_ledger(outing) is not None

    def why_kept(self, outing: Outing) -> str | None:
        """Say why an activity stays; None: it is to go, as far as it is alone."""
        if (why := self._by_ledger(outing)) is not None:
            return why
        if outing.why is not None:
            return outing.why
        if not any(file.problem is None for file in outing.files):
            return next((file.problem for file in outing.files), "without a file")
        if not self._left(outing):
            return "refused by Strava before"
        if any(likeness(outing.records, one) >= DOUBTFUL for one in self.basis.deleted):
            return "may be what was deleted on Strava"
        return self._unwished(outing)

    def best(self, outing: Outing) -> File:
        """Return the file that says most, of those that may go."""
        return min(self._left(outing), key=_order)

    def unknown_there(self, outing: Outing) -> Iterator[tuple[File, str]]:
        """Yield files of what Strava has, of which the ledger does not know that."""
        if outing.strava_id is not None:
            for file in outing.files:
                if self._state(file) in (None, "pending", "failed"):
                    yield file, outing.strava_id

    def _by_ledger(self, outing: Outing) -> str | None:
        states = {self._state(file) for file in outing.files}
        for state, why in _WENT.items():
            if state in states:
                return why
        is_there = "there" in states and outing.why is None
        return "on Strava, or was" if is_there else None

    def _state(self, file: File) -> State | None:
        """Return a file's state; None also where the warehouse knows better by now.

        What was seen on Strava before a pull brought it may turn out to be another activity.
        """
        past = self.ledger.get(file.file_sha256)
        if past is None or past.state != "there":
            return past.state if past else None
        seen = self.basis.there.get(past.activity_id or "")
        is_another = seen is not None and seen.activity_id != file.activity_id
        return None if is_another else "there"

    def _left(self, outing: Outing) -> list[File]:
        return [
            file
            for file in outing.files
            if file.problem is None and (self.wish.again or self._state(file) != "failed")
        ]

    def _unwished(self, outing: Outing) -> str | None:
        wish = self.wish
        if outing.start_s > self.now_s:
            return "begins in the future"
        if wish.since_s is not None and outing.start_s < wish.since_s:
            return "before --since"
        if wish.sports and outing.sport_type.lower() not in wish.sports:
            return "another sport than --sport"
        return None


def _order_of_outing(outing: Outing) -> tuple[bool, tuple[int, int, int, float, str], int]:
    """Put that of two activities first of which a file says more, always in the same order."""
    best = min((_order(file) for file in outing.files), default=(0, 0, 0, 0.0, ""))
    return not outing.files, best, outing.activity_id


def _order(file: File) -> tuple[int, int, int, float, str]:
    return (
        _rank(file.file_format, _FORMATS),
        -file.points,
        _rank(file.source, _SOURCES),
        file.start_s,
        file.file_sha256,
    )


def _rank(value: str, ranked: Sequence[str]) -> int:
    return ranked.index(value) if value in ranked else len(ranked)
