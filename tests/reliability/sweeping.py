"""The sweep: a real flow is hit at a point; what the next one makes of it is held against calm.

A point costs a flow that is hit and the flow after it. Two points are worked on at a time, each
with services and a processor of its own.
"""

import contextlib
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tests.conftest import REPOSITORY
from tests.reliability import sweep_world
from tests.reliability.checkpoint_abort import DIED
from tests.reliability.gold_dump import differences, dumped
from tests.reliability.sweep_place import Ended, Lake, first_lake
from tests.reliability.sweep_points import CHANGING, Point, Trace
from tests.reliability.sweep_world import World
from tests.reliability.trace_lines import calls, killed
from tracklake.clock import SystemClock

AT_ONCE = 2
STOP_S = 8.0  # from SIGTERM to the end; `docker stop` kills after 10
STRACE = ("strace", "-f", "-qq", "-y", "-s", "0", "-o")
_QUICKLY = "--seccomp-bpf"  # stops at no other call; strace 6 then sends no signals
_LOGIN_NEEDED = 3
_CHECK_FAILED = 4
_TILE_MAKER = "/.landing-tiles/"
_TERMINATED = {128 + signal.SIGTERM, -signal.SIGTERM}  # the latter before it was at work


@dataclass(frozen=True)
class Outcome:
    """What became of a point; nothing wrong if there are no complaints.

    hit: the call that was hit, "" where the flow ended before. repeated: calls that were made
    again. login_lost: a renewal was killed between the service's answer and the disk.
    """

    point: Point
    first: Ended
    hit: str
    repeated: int = 0
    complaints: tuple[str, ...] = ()
    login_lost: bool = False


@dataclass
class Calm:
    """Before and after a flow that nobody hits: what every other one has to come to."""

    before: Lake
    after: Lake
    trace: Trace
    _dump: dict[str, str] = field(default_factory=dict)
    _hour: int = -1

    def dump(self) -> dict[str, str]:
        """Return gold as it should be; some views count up to today, so made anew each day."""
        hour = int(SystemClock().now().timestamp() // 3600)  # a day begins with an hour
        if hour != self._hour:
            self._dump, self._hour = dumped(self.after.place), hour
        return self._dump


def may_trace(folder: Path) -> None:
    """Raise AssertionError where no process may be traced: the sweep cannot be left out quietly."""
    command = [*STRACE, str(folder / "probe"), "-e", "trace=write", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (
        f"strace cannot trace here ({done.stderr.strip()}): install it, and allow ptrace "
        "(docker run --cap-add SYS_PTRACE)"
    )


def calm(folder: Path, *, from_nothing: bool) -> Calm:
    """Run a flow in peace and under a trace; `from_nothing`: the first of a lake."""
    may_trace(folder)
    with sweep_world.opened() as world:
        before = first_lake(folder / "before", world)
        if not from_nothing:
            assert (ended := before.run(world, "flow")).code == 0, ended.said
        world.grow()
        before.grow()
        peaceful = _again(before, folder / "after", world)
        ended = peaceful.run(world, "flow")
        assert ended.code == 0, ended.said
        traced = _again(before, folder / "traced", world)
        file = folder / "trace.txt"
        told = traced.run(
            world, "flow", before=(*STRACE, str(file), "-e", f"trace={','.join(CHANGING)}")
        )
        assert told.code == 0, told.said
        trace = Trace(calls(file.read_text(), traced.place), traced.place, ended.took_s)
        assert differences(dumped(traced.place), dumped(peaceful.place)) == []
        assert peaceful.half_done() == []
        return Calm(before, peaceful, trace)


def _again(lake: Lake, place: Path, world: World) -> Lake:
    world.forget()
    copy = lake.copied(place)
    copy.log_in(world)
    return copy


# ---- one point


def tried(calm: Calm, point: Point, place: Path, world: World, *, deep: bool) -> Outcome:
    """Hit a flow at a point, run the next one, and look; `deep`: also prove gold and the backup."""
    lake = _again(calm.before, place / "lake", world)
    first, hit = (_at_call if point.call else _at_moment)(calm, point, lake, world)
    complaints = list(_about_the_end(point, first, hit))
    following, login_lost = _next(lake, world)
    if following.code != 0:
        complaints.append(f"the next flow ended {following.code}: {following.said[-400:]}")
    repeated = _repeated(world)
    complaints += _about_what_is_left(calm, lake, repeated, deep=deep, world=world)
    if not complaints:
        shutil.rmtree(place)
    return Outcome(point, first, hit, sum(repeated), tuple(complaints), login_lost)


def aborted(calm: Calm, where: str, place: Path, world: World) -> list[str]:
    """Let a checkpoint of the writer's file be broken off, run the next flow; say what is wrong."""
    lake = _again(calm.before, place / "lake", world)
    file = lake.place / "data" / "state" / "writer.duckdb"
    command = [sys.executable, "-m", "tests.reliability.checkpoint_abort", str(file), where]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == DIED, done.stderr
    following, _ = _next(lake, world)
    assert following.code == 0, following.said
    return list(_about_what_is_left(calm, lake, _repeated(world), deep=False, world=world))


def _next(lake: Lake, world: World) -> tuple[Ended, bool]:
    """Run the next flow; where a renewal was killed after the answer, after a new login."""
    following = lake.run(world, "flow")
    spent = world.strava.tokens.refresh_token not in _kept_login(lake)
    if following.code == _LOGIN_NEEDED and spent:
        world.refresh_token = world.strava.tokens.refresh_token
        lake.log_in(world)
        return lake.run(world, "flow"), True
    return following, False


def _kept_login(lake: Lake) -> str:
    path = lake.place / "secrets" / "strava_token.json"
    return path.read_text() if path.exists() else ""


def _at_call(_calm: Calm, point: Point, lake: Lake, world: World) -> tuple[Ended, str]:
    file = lake.place.parent / "trace.txt"
    kind = point.fault.rstrip("+")
    what = "signal=KILL" if kind == "KILL" else f"error={kind}"
    when = f"{point.number}{'+' if point.fault.endswith('+') else ''}"
    inject = f"inject={point.call}:{what}:when={when}"
    strace = STRACE if kind == "KILL" else (STRACE[0], _QUICKLY, *STRACE[1:])
    before = (*strace, str(file), "-e", f"trace={point.call}", "-e", inject)
    ended = lake.run(world, "flow", before=before)
    said = file.read_text()
    if kind == "KILL":
        return ended, killed(said) or ""
    return ended, next((one.text for one in calls(said, lake.place) if one.injected), "")


def _at_moment(calm: Calm, point: Point, lake: Lake, world: World) -> tuple[Ended, str]:
    running = lake.started(world, "flow")
    time.sleep(calm.trace.took_s * point.number / 1000)  # noqa: TID251 a real process, at a moment of no one's choice
    process = running.process
    hit = "" if process.poll() is not None else f"after {point.number / 1000:.1%}"
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
        if point.fault == "KILL all":
            os.killpg(process.pid, signal.SIGKILL)
        elif point.fault == "KILL child":
            hit = _kill_a_child(process.pid, point)
        else:
            process.send_signal(signal.SIGTERM)
    asked_s = time.monotonic()
    ended = running.ended()
    return Ended(ended.code, ended.said, time.monotonic() - asked_s), hit


def _kill_a_child(pid: int, point: Point) -> str:
    """Kill a process that a flow started, whichever chance gives; say which."""
    found = list(_descendants(pid))
    if not found:
        return ""
    one = random.Random(point.number).choice(found)  # noqa: S311 repeatable on purpose
    name = Path(f"/proc/{one}/comm").read_text().strip()
    os.kill(one, signal.SIGKILL)
    return f"{name}, a child"


def _descendants(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):  # it may have ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))


# ---- what is right


def _about_the_end(point: Point, first: Ended, hit: str) -> Iterator[str]:
    """Say what is wrong with how the flow that was hit ended."""
    if "Traceback" in first.said and not _is_pythons_own(point, first):
        yield f"it told a traceback: {first.said[-1500:]}"
    if point.fault.startswith("KILL"):
        return
    if first.code not in _right_codes(point, hit):
        yield f"it ended {first.code}: {first.said[-400:]}"
    if point.fault == "TERM" and hit and first.took_s > STOP_S:
        yield f"it took {first.took_s:.1f} s to stop"
    if first.code == 1 and not first.said.strip():
        yield "it failed without a word"


def _is_pythons_own(point: Point, first: Ended) -> bool:
    """Tell whether Python's own keeper of semaphores was killed, and says so when it comes back."""
    traces = first.said.count("Traceback")
    return point.fault == "KILL child" and first.said.count('resource_tracker.py", line') == traces


def _right_codes(point: Point, hit: str) -> set[int]:
    """Return how a flow may end: as if nothing had been, stopped, or with a word about the disk."""
    if point.fault == "TERM":
        return {0, *_TERMINATED}
    # The tile maker does not look whether its last writes went well; our check of the file does.
    return {0, 1, _CHECK_FAILED} if _TILE_MAKER in hit else {0, 1}


def _repeated(world: World) -> tuple[int, int]:
    """Return how many pages of the list, and how many other calls, were made again."""
    again = {thing: count - 1 for thing, count in world.asked().items()}
    pages = sum(count for thing, count in again.items() if thing.startswith("list"))
    return pages, sum(again.values()) - pages


def _about_what_is_left(
    calm: Calm, lake: Lake, repeated: tuple[int, int], *, deep: bool, world: World
) -> Iterator[str]:
    """Say what is wrong with a lake after the flow that followed."""
    try:
        other = differences(dumped(lake.place), calm.dump())
    except (duckdb.Error, OSError) as error:
        other = [repr(error)]
    if other:
        yield f"gold differs: {', '.join(other)}"
    if left := lake.half_done():
        yield f"left behind: {', '.join(left)}"
    if repeated[0] > 2 or repeated[1] > 1:  # the page, and the empty one that ends the list
        yield f"made again: {repeated[0]} pages, {repeated[1]} other calls"
    if deep:
        for command in (("compact", "--rebuild", "--verify"), ("backup", "verify")):
            if (ended := lake.run(world, *command)).code != 0:
                yield f"{' '.join(command)} ended {ended.code}: {ended.said[-400:]}"


# ---- all points


def swept(
    calm: Calm,
    points: Sequence[Point],
    folder: Path,
    *,
    deep_every: int = 10,
    tell: Callable[[Outcome], None] = lambda _outcome: None,
) -> list[Outcome]:
    """Try all points; each tenth is looked at deeply. What went wrong stays in the folder."""
    with contextlib.ExitStack() as stack:
        worlds: queue.SimpleQueue[World] = queue.SimpleQueue()
        for processor in range(AT_ONCE):
            world = stack.enter_context(sweep_world.opened(processor))
            world.grow()
            worlds.put(world)

        def one(number: int, point: Point) -> Outcome:
            world = worlds.get()
            try:
                place = folder / f"{number}"
                outcome = tried(calm, point, place, world, deep=number % deep_every == 0)
            finally:
                worlds.put(world)
            tell(outcome)
            return outcome

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, range(len(points)), points))
