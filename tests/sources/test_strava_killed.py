"""Stopped or killed between any two steps of a pull: nothing is lost, hardly a page repeated."""

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forked import driven, spread
from tests.sources.strava_place import Place, opened
from tests.upstream.calls import Call
from tests.upstream.quota import Limits
from tracklake import flow
from tracklake.errors import Interrupted
from tracklake.stages import PullOptions

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)
PER_PAGE = 8
MOST_KILLS = 16  # of one scenario, spread over all its steps


def order(place: Place, *, kill_at: int | None = None, later_s: float = 0.0) -> dict[str, Any]:
    """Return what the other process is told."""
    options = {"per_page": PER_PAGE}
    return {"given": place.given(), "kill_at": kill_at, "later_s": later_s, "options": options}


def repeated(place: Place, token: str) -> int:
    """Return how many pages of the list were asked for again with a login."""
    asked = Counter(
        json.dumps(call.query, sort_keys=True)
        for call in place.list_calls()
        if call.bearer == token
    )
    return sum(count - 1 for count in asked.values())


def leftovers(place: Place) -> list[Path]:
    """Return temporary files that nobody removed."""
    return [path for path in place.folders.data.rglob("*") if ".landing-" in path.name]


def first_pull(_: Place) -> float:
    """Know nothing yet."""
    return 0.0


def weekly_pull(place: Place) -> float:
    """Know all; then something of everything happens, and a week passes. Return its seconds."""
    place.per_page = PER_PAGE
    place.pull()
    account, ids = place.upstream.account, sorted(place.upstream.visible_set())
    for one in ids[::9]:
        account.edit(one, name=f"Renamed {one}")
    for one in ids[3:20:7]:
        account.delete(one)
    account.kudos(ids[-1], 7)
    account.late_upload(days=300)
    place.advance(days=8)
    account.upload()
    return 8 * 86_400.0


@pytest.mark.parametrize("scenario", [first_pull, weekly_pull])
def test_killed_at_any_step(tmp_path: Path, scenario: Any) -> None:
    """SIGKILL before each rename, folder and removal: the next pull completes what is missing.

    It asks for one page at most a second time, leaves no temporary file, and lands nothing twice.
    """
    with opened(tmp_path / "calm", activities=40, points=5, limits=PLENTY) as calm:
        later_s = scenario(calm)
        calm.log_in()
        places = [calm]
        for number in range(1, MOST_KILLS + 2):
            shutil.copytree(tmp_path / "calm", tmp_path / f"{number}")
            places.append(Place(tmp_path / f"{number}", calm.upstream, per_page=PER_PAGE))
        [(code, steps)] = driven([order(calm, later_s=later_s)])
        assert code == 0
        assert steps > 5
        assert calm.landed_differences() == []
        victims = dict(zip(spread(steps, MOST_KILLS), places[1:], strict=False))
        tokens = {kill_at: victim.log_in() for kill_at, victim in victims.items()}
        orders = [
            one
            for kill_at, victim in victims.items()
            for one in (
                order(victim, kill_at=kill_at, later_s=later_s),
                order(victim, later_s=later_s + 60),
            )
        ]
        codes = [ended.code for ended in driven(orders)]
        assert set(codes[::2]) == {-signal.SIGKILL}
        assert set(codes[1::2]) == {0}
        for kill_at, victim in victims.items():
            assert repeated(victim, tokens[kill_at]) <= 1, f"killed at step {kill_at}"
            assert leftovers(victim) == []
            assert victim.landed_differences() == []
            assert landed_once(victim)
        last = victims[max(victims)]
        last.renews = False
        last.advance(seconds=later_s + 3_600 if scenario is first_pull else 3_600)
        again = last.pull(everything=True)
        assert (again.new, again.changed, again.gone) == (0, 0, 0)
        last.compact(verify=True)
        assert last.differences() == []


def landed_once(place: Place) -> bool:
    """Tell whether no version of an activity is in bronze twice."""
    rows = Counter(
        (row["source_id"], row["content_hash"]) for row in place.shard_rows("activities")
    )
    return max(rows.values()) == 1


# ---- asked to stop


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with 40 activities upstream, read 8 at a time."""
    with opened(tmp_path, activities=40, points=5, limits=PLENTY) as found:
        found.per_page = PER_PAGE
        found.log_in(lives_for_ever=True)
        yield found


def flow_pull(place: Place) -> None:
    """Run a pull as the command does, answering signals."""
    report = flow.FlowReport()
    with flow.running("pull", *place.load(), report, clock=place.clock) as session:
        flow.pull(session, report, options=PullOptions(per_page=PER_PAGE))
        flow.raise_source_failures(report)


@pytest.mark.parametrize("number", range(1, 8))
def test_asked_to_stop_at_any_call(place: Place, number: int) -> None:
    """SIGTERM while a page is waited for ends the pull as interrupted; the next one goes on."""

    def stop(call: Call) -> None:
        if call.number == number:
            os.kill(os.getpid(), signal.SIGTERM)

    place.upstream.before = stop
    with pytest.raises(Interrupted):
        flow_pull(place)
    assert place.state("select state from sessions") == [("retrying",)]
    place.upstream.before = None
    place.advance(seconds=60)
    flow_pull(place)
    asked = Counter(json.dumps(call.query, sort_keys=True) for call in place.list_calls())
    assert sum(count - 1 for count in asked.values()) <= 1
    assert place.landed_differences() == []
    assert landed_once(place)
    assert leftovers(place) == []


def test_stopped_again_and_again(place: Place) -> None:
    """Stopped after every single page, pulls still come to the end, each a page further."""
    stops = 0
    for stops in range(1, 30):  # noqa: B007 it is looked at when the loop has ended
        goal = len(place.upstream.calls) + 2

        def stop(call: Call, goal: int = goal) -> None:
            if call.number == goal:
                os.kill(os.getpid(), signal.SIGTERM)

        place.upstream.before = stop
        try:
            flow_pull(place)
        except Interrupted:
            continue
        break
    place.upstream.before = None
    assert stops <= 12
    assert place.landed_differences() == []
    assert landed_once(place)


def test_a_lost_state_database_after_a_kill(place: Place) -> None:
    """A run without its shard is found in bronze alone, and what it holds is not landed again."""

    def stop(call: Call) -> None:
        if call.number == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    place.upstream.before = stop
    with pytest.raises(Interrupted):
        flow_pull(place)
    place.upstream.before = None
    assert place.landed() == {}  # its three pages have no shard yet
    place.forget_state()
    place.advance(seconds=60)
    flow_pull(place)
    assert place.landed_differences() == []
    assert landed_once(place)


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_page_of_a_killed_run(place: Place, damage: str) -> None:
    """What a page told that cannot be read any more is asked for again, in the very next pull.

    It lies behind the days that are looked back anyway.
    """

    def stop(call: Call) -> None:
        if call.number == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    place.upstream.before = stop
    with pytest.raises(Interrupted):
        flow_pull(place)
    place.upstream.before = None
    [page] = place.folders.bronze.rglob("page-0004.json.zst")
    data = bytearray(page.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    page.write_bytes(bytes({"cut": data[: len(data) // 2], "flipped": data}.get(damage, b"")))
    place.advance(seconds=60)
    flow_pull(place)
    assert place.landed_differences() == []
    assert landed_once(place)
