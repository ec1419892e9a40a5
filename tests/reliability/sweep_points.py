"""Where a flow is hit: each call of its trace that changes the disk, and moments of chance."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.trace_lines import Call

CHANGING = (
    *("write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range", "fallocate"),
    *("fsync", "fdatasync", "msync", "rename", "renameat", "renameat2", "link", "linkat"),
    *("unlink", "unlinkat", "rmdir", "ftruncate", "truncate", "mkdir", "mkdirat"),
)
WRITING = ("write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range")
SYNCING = ("fsync", "fdatasync")
MAKING = ("mkdir", "rename", "link")
_KINDS = frozenset(
    [
        *(".duckdb", ".wal", ".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal"),
        *(".parquet", ".zst", ".json", ".jsonl", ".log"),
        *(".pmtiles", ".pmtiles-journal", ".gz", ".geojsonl"),
    ]
)


@dataclass(frozen=True, order=True)
class Point:
    """One fault (KILL, ENOSPC, …) at the `number`-th `call` of whatever thread comes first.

    call "": at a moment, so many thousandths of the time that a calm flow takes. stage: what the
    calm flow did there.
    """

    fault: str
    call: str
    number: int
    stage: str = ""

    def __str__(self) -> str:
        where = f"{self.call} {self.number}" if self.call else f"{self.number / 1000:.1%}"
        return f"{self.fault} at {where} ({self.stage})"


@dataclass(frozen=True)
class Trace:
    """The calls of a calm flow that stood in `place`, and how long it took without strace."""

    calls: Sequence[Call]
    place: Path
    took_s: float

    def here(self, call: Call) -> bool:
        """Tell whether a call that was done is about a file of the lake."""
        return call.done and any(path.startswith(f"{self.place}/") for path in call.paths)

    def stage(self, call: Call) -> str:
        """Say what a call is about: the part of the lake, what is half-made, and its kind."""
        path = Path(call.paths[-1]).relative_to(self.place)
        parts = path.parts[1:-1] if path.parts[0] == "data" else path.parts[:1]
        part = "/".join(one for one in parts[:2] if "=" not in one and not one.startswith("."))
        half = "half-made " if ".landing-" in str(path) else ""
        kind = path.suffix if path.suffix in _KINDS else ""
        return f"{half}{part}{kind}"


def points(trace: Trace) -> list[Point]:
    """Return a SIGKILL and an EIO for each call on the lake, and no room where some is taken."""
    found: set[Point] = set()
    for name, number, stage in _numbered(trace):
        found.add(Point("KILL", name, number, stage))
        found.add(Point("EIO", name, number, stage))
        if name in WRITING or name in MAKING:
            found.add(Point("ENOSPC", name, number, stage))
        if name in SYNCING:
            found.add(Point("EIO+", name, number, stage))
        if name == "pwrite64":  # of databases only: others tell by `write` what went wrong
            found.add(Point("ENOSPC+", name, number, stage))
    return sorted(found)


def _numbered(trace: Trace) -> Iterator[tuple[str, int, str]]:
    """Yield call, number within its thread (as strace counts) and stage; one of each number."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    seen: set[tuple[str, int]] = set()
    for call in trace.calls:
        if call.name not in CHANGING:
            continue
        counts[call.thread, call.name] += 1
        number = counts[call.thread, call.name]
        if (call.name, number) not in seen:  # whoever comes to it first, is hit
            seen.add((call.name, number))
            if trace.here(call):
                yield call.name, number, trace.stage(call)


def moments(fault: str, count: int, dice: random.Random) -> list[Point]:
    """Return moments of a flow, evenly spread and then moved by chance."""
    width = 1000 / count
    return [Point(fault, "", int((one + dice.random()) * width)) for one in range(count)]


def stratified(found: Sequence[Point], count: int, dice: random.Random) -> list[Point]:
    """Return so many points, two thirds of them kills, from all kinds of calls and stages."""
    kills = [point for point in found if point.fault == "KILL"]
    others = [point for point in found if point.fault != "KILL"]
    most = count * 2 // 3 if others else count
    chosen = _in_turn([(one.call, one.stage) for one in kills], kills, most, dice)
    kinds = [(one.fault, one.call) for one in others]
    return sorted(chosen + _in_turn(kinds, others, count - len(chosen), dice))


def _in_turn(
    kinds: Sequence[tuple[str, str]], found: Sequence[Point], count: int, dice: random.Random
) -> list[Point]:
    """Take one point of each kind in turn, whichever chance gives."""
    strata: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for kind, point in zip(kinds, found, strict=True):
        strata[kind].append(point)
    order = list(strata.values())
    dice.shuffle(order)
    for one in order:
        dice.shuffle(one)
    chosen: list[Point] = []
    while any(order) and len(chosen) < count:
        chosen += [one.pop() for one in order if one][: count - len(chosen)]
    return chosen
