"""The real flow, hit at points of all kinds at all its stages; `make sweep` hits at every one."""

import functools
import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import sweep_world, trace_lines
from tests.reliability.checkpoint_abort import PLACES
from tests.reliability.sweep_points import CHANGING, Point, moments, points, stratified
from tests.reliability.sweeping import Calm, Outcome, aborted, calm, swept
from tests.reliability.trace_order import violations

# What CI tries: points at calls, and moments, of a flow on a lake that exists and of a first one.
AT_CALLS = {False: 36, True: 12}
MOMENTS = {False: (("TERM", 5), ("KILL all", 3), ("KILL child", 3)), True: (("TERM", 2),)}
SEED = int(os.environ.get("SWEEP_SEED") or secrets.randbelow(10**6))  # noqa: TID251 to repeat one


@pytest.fixture(scope="module")
def calms(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Calm]:
    """Return what gives a flow that nobody hits, and its trace; each is run once."""
    return functools.cache(
        lambda from_nothing: calm(tmp_path_factory.mktemp("calm"), from_nothing=from_nothing)
    )


@pytest.fixture(params=[False, True], ids=["increment", "first"])
def reference(request: pytest.FixtureRequest, calms: Callable[[bool], Calm]) -> Calm:
    """Return such a flow on a lake that exists, and the first of a lake."""
    return calms(bool(request.param))


def chosen(reference: Calm, from_nothing: bool) -> list[Point]:
    """Return the points that this run's seed gives."""
    dice = random.Random(SEED)  # noqa: S311 repeatable on purpose
    found = stratified(points(reference.trace), AT_CALLS[from_nothing], dice)
    for fault, count in MOMENTS[from_nothing]:
        found += moments(fault, count, dice)
    return found


def wrong(outcomes: list[Outcome]) -> str:
    """Say what went wrong where, and how to try it again."""
    said = [
        f"{one.point} [{one.hit}]: {'; '.join(one.complaints)}"
        for one in outcomes
        if one.complaints
    ]
    return "\n".join([f"SWEEP_SEED={SEED} tries these points again", *said]) if said else ""


def test_hit_anywhere_the_next_flow_comes_to_the_same(reference: Calm, tmp_path: Path) -> None:
    """SIGKILL, SIGTERM, a full disk, a failing one: then gold is what a calm flow makes, no less.

    The next flow ends 0, at most a page or an item is asked for again, nothing half-made remains.
    """
    from_nothing = not (reference.before.place / "data" / "warehouse").exists()
    outcomes = swept(reference, chosen(reference, from_nothing), tmp_path)
    assert wrong(outcomes) == ""
    hit = [one for one in outcomes if one.hit]
    assert len(hit) > 0.8 * len(outcomes), f"SWEEP_SEED={SEED}: hardly any fault was met"


def test_what_a_flow_writes_survives_a_power_cut(reference: Calm) -> None:
    """In the trace of a whole flow bytes are flushed before names, names before what follows."""
    trace = reference.trace
    roots = [trace.place / "data", trace.place / "secrets"]
    assert violations(trace.calls, roots) == []
    assert sum(call.name in ("rename", "link") and trace.here(call) for call in trace.calls) > 50


def test_each_call_of_a_flow_is_a_point(reference: Calm) -> None:
    """The sweep's list has all kinds of calls, at all parts of the lake."""
    found = points(reference.trace)
    assert {one.call for one in found} <= set(CHANGING)
    kills = {(one.call, one.stage) for one in found if one.fault == "KILL"}
    for part in ("state.duckdb", "state.sqlite-wal", "half-made bronze/strava.zst", "state.wal"):
        assert any(stage == part for _, stage in kills), part
    assert {one.fault for one in found} == {"KILL", "ENOSPC", "ENOSPC+", "EIO", "EIO+"}


@pytest.mark.parametrize("where", PLACES)
def test_a_checkpoint_that_breaks_off(
    tmp_path: Path, where: str, calms: Callable[[bool], Calm]
) -> None:
    """DuckDB dies within a checkpoint of the writer's file, at each place that it knows."""
    with sweep_world.opened() as world:
        world.grow()
        assert aborted(calms(False), where, tmp_path, world) == []


def test_a_trace_is_read(tmp_path: Path) -> None:
    """Calls that begin before others end, names relative to open folders, results and faults."""
    text = (
        '10 write(3</a/x>, ""..., 5 <unfinished ...>\n'
        '11 renameat(4</b>, "old", AT_FDCWD</c>, "new") = 0\n'
        "10 <... write resumed>) = 5\n"
        "11 fsync(5</b/y>) = -1 EIO (Input/output error) (INJECTED)\n"
        '12 unlink("z") = -1 ENOENT (No such file or directory)\n'
        "12 fsync(6</q> <unfinished ...>\n"
        "12 +++ killed by SIGKILL +++\n"
    )
    found = trace_lines.calls(text, tmp_path)
    assert [(one.name, one.paths, one.result, one.injected) for one in found] == [
        ("write", ("/a/x",), 5, False),
        ("renameat", ("/b/old", "/c/new"), 0, False),
        ("fsync", ("/b/y",), -1, True),
        ("unlink", (str(tmp_path / "z"),), -1, False),
        ("fsync", ("/q",), None, False),
    ]
    assert trace_lines.killed(text) == "fsync(6</q> <unfinished ...>"
    assert trace_lines.killed(text.replace("+++ killed", "+++ stopped")) is None
