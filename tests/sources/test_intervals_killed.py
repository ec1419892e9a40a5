"""Killed between any two steps of a pull from intervals.icu: nothing is lost, and hardly anything
is asked for again.
"""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.forked import driven, spread
from tests.sources.intervals_place import IntervalsPlace, opened
from tests.upstream.calls import Call
from tracklake import flow
from tracklake.errors import Interrupted

MOST_KILLS = 14  # spread over all steps
AT_ONCE = 3  # files on their way when the kill comes, beside a page


def order(place: IntervalsPlace, *, kill_at: int | None = None, later_s: float) -> dict[str, Any]:
    """Return what the other process is told."""
    return {"given": place.given(), "kill_at": kill_at, "later_s": later_s}


def filled(place: IntervalsPlace) -> None:
    """Let there be activities, days and a stub; a file that is empty, and an id with a colon."""
    now = place.clock.now()
    for days in (1, 2, 3, 100, 101, 200):
        place.upload(now.replace(hour=days % 20) - days * (now - now.replace(day=now.day - 1)))
    items = place.upstream.items
    odd, empty = list(items)[:2]
    items[empty].file = b""
    items["i100001:7"] = items.pop(odd)
    place.upstream.edit("i100001:7", id="i100001:7")
    place.upstream.stub(now.replace(tzinfo=None), 18_700_000_001)
    for days in range(3):
        place.upstream.live(now.date().replace(day=days + 1), weight=70 + days)


def landed(place: IntervalsPlace) -> dict[str, list[str]]:
    """Return what is in bronze, by entity: whose rows, in order."""
    entities = (
        *("activities", "activity_streams", "activity_details", "activity_intervals"),
        *("original_files", "wellness"),
    )
    return {name: sorted(r["source_id"] for r in place.shard_rows(name)) for name in entities}


def repeated(calls: list[Call]) -> int:
    """Return how many calls were made more than once."""
    asked = Counter(json.dumps([call.path, call.query], sort_keys=True) for call in calls)
    return sum(count - 1 for count in asked.values())


def test_killed_at_any_step(tmp_path: Path) -> None:
    """SIGKILL before each rename, folder and removal: the next pull completes what is missing.

    Nothing lands twice; what is asked for again is what was on its way, and one look at what is
    recent.
    """
    with opened(tmp_path / "whole") as whole:
        filled(whole)
        [(code, steps)] = driven([order(whole, later_s=0.0)])
        assert code == 0
        wanted = landed(whole)
    assert steps > MOST_KILLS
    assert len(wanted["activities"]) == 7
    assert len(wanted["activity_intervals"]) == 6
    assert len(wanted["wellness"]) == 3
    for kill_at in spread(steps, MOST_KILLS):
        with opened(tmp_path / str(kill_at)) as place:
            filled(place)
            orders = [
                order(place, kill_at=kill_at, later_s=0.0),
                order(place, later_s=60.0),
            ]
            codes = [ended.code for ended in driven(orders)]
            assert codes == [-signal.SIGKILL, 0], kill_at
            assert landed(place) == wanted, kill_at
            assert repeated(place.calls()) <= 1 + AT_ONCE, kill_at
            left = [path for path in place.folders.data.rglob("*") if ".landing-" in path.name]
            assert left == [], kill_at


def test_interrupted_while_files_come(tmp_path: Path) -> None:
    """SIGTERM while files are on their way ends the pull at once; the next one goes on there."""
    with opened(tmp_path) as place:
        filled(place)

        def stop(call: Call) -> None:
            if call.path.endswith("/file") and not place.upstream.calls_to("/file")[3:]:
                os.kill(os.getpid(), signal.SIGTERM)

        settings, folders = place.load()
        place.upstream.before = stop
        with (
            pytest.raises(Interrupted),
            flow.running("pull", settings, folders, flow.FlowReport(), clock=place.clock) as run,
        ):
            flow.pull(run, flow.FlowReport())
        place.upstream.before = None
        place.advance(seconds=60)
        place.pull()
        assert len(landed(place)["activity_streams"]) == 6
        assert len(landed(place)["activities"]) == 7
        assert repeated(place.calls()) <= 1 + AT_ONCE
