"""Which files Strava lacks: pure, and careful, because an upload cannot be taken back from here.

Whatever overlaps in time with something that Strava has, or had and was told to delete, stays here.
Times are UNIX seconds, lengths seconds, distances metres.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

SLACK_S = 900.0  # between two records of one outing: started late, stopped late
_DAY_S = 86_400.0
_HALF_HOUR_S = 1_800.0
_FARTHEST_ZONE_S = 14 * 3_600.0
_SAME_CLOCK_S = 60.0  # a clock in a wrong time zone is else right
_SAME_LENGTH_S = 30.0  # more would catch the way home as the way to work
_SAME_SHARE = 0.01
MARGIN_S = _DAY_S + _FARTHEST_ZONE_S + SLACK_S  # no record that matters begins further away
FEWEST_BYTES, MOST_BYTES = 1, 25_000_000  # what Strava takes

State = Literal["pending", "uploading", "processing", "done", "duplicate", "there", "failed"]
SETTLED: tuple[State, ...] = ("done", "duplicate", "there")
_RANK = {"fit": 0, "tcx": 1, "gpx": 2}  # which of several files of one outing says most


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When something happened. what: why it is in the way; activity_id: Strava's, where known."""

    start_s: float
    elapsed_s: float
    distance_m: float | None = None
    start_hidden: bool = False  # it began at any time of that day
    what: str = "on Strava"
    activity_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of one outing. location: below the data folder; problem: why it stays, if it does."""

    file_sha256: str
    source: str
    source_id: str
    location: str
    file_format: str
    sport_type: str
    start_s: float
    elapsed_s: float
    utc_offset_s: float = 0.0
    distance_m: float | None = None
    name: str | None = None
    trainer: bool = False
    points: int = 0
    size_bytes: int = 0
    problem: str | None = None

    @property
    def external_id(self) -> str:
        """The name under which Strava knows the file; the same for ever."""
        return f"tracklake-{self.file_sha256[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person wants uploaded. again: also what Strava refused before."""

    since_s: float | None = None
    sports: frozenset[str] = frozenset()
    again: bool = False


@dataclass(slots=True, kw_only=True)
class Plan:
    """files: to go, oldest first; there: what Strava has or had; kept: counts of the rest, by why.

    `there` names the span that is in the way.
    """

    files: list[File] = field(default_factory=list)
    there: list[tuple[File, Span]] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)

    def keep(self, why: str) -> None:
        """Count a file that stays."""
        self.kept[why] = self.kept.get(why, 0) + 1


def blocker(file: File, spans: Iterable[Span]) -> Span | None:
    """Return the first of `spans` that may be the same outing."""
    return next((span for span in spans if _may_be_one(file, span)), None)


def _may_be_one(file: File, span: Span) -> bool:
    apart_s = span.start_s - file.start_s
    if apart_s + span.elapsed_s < -MARGIN_S or apart_s > MARGIN_S + file.elapsed_s:
        return False
    if span.start_hidden:  # its midnight is the athlete's own, in whatever zone
        return -_DAY_S - _FARTHEST_ZONE_S <= apart_s <= _FARTHEST_ZONE_S
    if -span.elapsed_s - SLACK_S < apart_s < file.elapsed_s + SLACK_S:
        return True
    return _is_in_another_zone(apart_s) and _is_as_long(file, span)


def _is_in_another_zone(apart_s: float) -> bool:
    """Tell whether two starts differ as clocks of different time zones do."""
    rest_s = abs(apart_s) % _HALF_HOUR_S
    return abs(apart_s) <= _FARTHEST_ZONE_S + _SAME_CLOCK_S and (
        min(rest_s, _HALF_HOUR_S - rest_s) <= _SAME_CLOCK_S
    )


def _is_as_long(file: File, span: Span) -> bool:
    longest_s = max(file.elapsed_s, span.elapsed_s)
    if abs(file.elapsed_s - span.elapsed_s) > max(_SAME_LENGTH_S, _SAME_SHARE * longest_s):
        return False
    if not (file.distance_m and span.distance_m):
        return True
    apart_m = abs(file.distance_m - span.distance_m)
    return apart_m <= 0.05 * max(file.distance_m, span.distance_m)


def plan(
    files: Sequence[File],
    spans: Sequence[Span],
    ledger: Mapping[str, State],
    wish: Wish,
    now_s: float,
) -> Plan:
    """Decide on every file; `ledger` has the states of those that were dealt with before."""
    made = Plan()
    taken = [_span(file, ledger[file.file_sha256]) for file in files if _is_taken(file, ledger)]
    nearby = _Calendar([*spans, *taken])
    for file in sorted(files, key=_order):
        why = _why_kept(file, ledger.get(file.file_sha256), wish, now_s)
        if why is not None:
            made.keep(why)
        elif (span := blocker(file, nearby.around(file))) is None:
            made.files.append(file)
            nearby.add(_span(file, "pending"))
        elif span.activity_id is not None:
            made.there.append((file, span))
            made.keep(span.what)
        else:
            made.keep(span.what)
    made.files.sort(key=lambda file: (file.start_s, file.file_sha256))
    return made


def _order(file: File) -> tuple[int, int, float, str]:
    """Put the better of two files of one outing first, always in the same order."""
    rank = _RANK.get(file.file_format, len(_RANK))
    return rank, -file.points, file.start_s, file.file_sha256


def _is_taken(file: File, ledger: Mapping[str, State]) -> bool:
    return ledger.get(file.file_sha256, "pending") not in ("pending", "failed")


def _span(file: File, state: State) -> Span:
    return Span(
        start_s=file.start_s,
        elapsed_s=file.elapsed_s,
        distance_m=file.distance_m,
        what="another file of the same time" + (" goes" if state == "pending" else " went"),
    )


def _why_kept(file: File, state: State | None, wish: Wish, now_s: float) -> str | None:
    known = {
        "done": "uploaded before",
        "duplicate": "on Strava",
        "there": "on Strava, or was",
        "uploading": "on the way",
        "processing": "on the way",
        "failed": None if wish.again else "refused by Strava before",
    }
    if state is not None and (why := known.get(state)) is not None:
        return why
    if file.problem is not None:
        return file.problem
    if file.start_s > now_s:
        return "begins in the future"
    if wish.since_s is not None and file.start_s < wish.since_s:
        return "before --since"
    if wish.sports and file.sport_type.lower() not in wish.sports:
        return "another sport than --sport"
    return None


class _Calendar:
    """Spans by the day on which they begin, so that a plan of n files does not cost n²."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._days: dict[int, list[Span]] = {}
        self._longest_s = 0.0
        for span in spans:
            self.add(span)

    def add(self, span: Span) -> None:
        """Enter one."""
        self._days.setdefault(int(span.start_s // _DAY_S), []).append(span)
        self._longest_s = max(self._longest_s, span.elapsed_s)

    def around(self, file: File) -> Iterable[Span]:
        """Return those that may have to do with a file, the earliest days first."""
        first = int((file.start_s - MARGIN_S - self._longest_s) // _DAY_S)
        last = int((file.start_s + file.elapsed_s + MARGIN_S) // _DAY_S)
        days = range(first, last + 1)
        wanted = days if len(days) < len(self._days) else sorted(self._days)
        return [span for day in wanted for span in self._days.get(day, ())]
