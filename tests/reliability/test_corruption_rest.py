"""What else is read back from disk: damaged, it is named, made anew or refused in a sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reliability import damage_place, damaging
from tests.reliability.damage_place import DID_NOT_MATTER, KINDS, NO_CHANGE, TARGETS, Lake
from tests.sources import garmin_place, intervals_place, smashrun_place
from tests.sources.contract import SourcePlace

LOOKS = 20


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Return a lake that each test finds as it was."""
    with damage_place.opened(tmp_path_factory.mktemp("rest")) as found:
        yield found


@pytest.mark.parametrize("name", TARGETS)
def test_any_byte_is_seen_by_the_doctor(lake: Lake, name: str) -> None:
    """Flipped, zeroed, cut, emptied or removed: the deep examination names the file."""
    lake.put_back()
    target = TARGETS[name]
    found = []
    for number, (kind, dice) in enumerate(damaging.strata(LOOKS, KINDS)):
        paths = list(target.find(lake.folders))
        path = paths[number % len(paths)]
        found.append(damage_place.looked_at(lake, target, path, kind, dice))
    seen = len(found) - found.count(DID_NOT_MATTER) - found.count(NO_CHANGE)
    assert seen >= LOOKS / 2, found


@pytest.mark.parametrize("name", [name for name in TARGETS if TARGETS[name].in_flow])
def test_a_flow_after_it(lake: Lake, name: str) -> None:
    """A bit or all of it gone: the next flow mends it, says it or goes on; gold stays."""
    target = TARGETS[name]
    lake.put_back()
    [path, *_] = target.find(lake.folders)
    for kind, dice in damaging.strata(2, ("flipped", "removed")):
        damage_place.survived(lake, target, path, kind, dice)


@pytest.mark.parametrize("name", ["token file", "manifest of tiles", "points"])
def test_the_whole_doctor(lake: Lake, name: str) -> None:
    """`doctor --deep` names the file with what to do, and finds nothing else than that."""
    lake.put_back()
    assert lake.examined() == []
    [path, *_] = TARGETS[name].find(lake.folders)
    damaging.damage(path, "cut", damaging.dice(5))
    found = lake.examined()
    assert any(str(path) in one.said and one.advice for one in found)
    assert len(found) <= 3


# ---- what is remembered in the state database

FACTS = (
    *("walk", "walk:full", "walk:new", "days_walk", "seen_1", "round", "reconciled", "watermark"),
    *("doubt", "not_before", "listed", "files_left", "all_but_new", "days_read", "stats_due"),
)
RUBBISH = (
    "",
    "rubbish",
    "{}",
    "[]",
    "null",
    '{"at":"x"}',
    "\x00\x00",
    "1e999",
    "nan",
    "2026-13-01",
)
PLACES: dict[str, Any] = {
    "garmin": garmin_place.opened,
    "intervals": intervals_place.opened,
    "smashrun": smashrun_place.opened,
}


def test_rubbish_in_all_facts(lake: Lake) -> None:
    """With every remembered value damaged at once, a flow ends well and gold is the same."""
    lake.put_back()
    for value in RUBBISH[1:3]:
        lake.place.state("update facts set value = ?", value)
        for fact in FACTS:
            said = (f"strava_{fact}:me", value)
            lake.place.state("insert or replace into facts values (?, ?)", *said)
        lake.place.state("insert or replace into facts values ('clock_offset:strava', ?)", value)
        lake.place.flow()
        assert lake.activities() == lake.gold, value


def test_rubbish_in_facts_of_strava(lake: Lake) -> None:
    """Whatever a checkpoint, a watermark or a moment says, the next pull goes on without it."""
    lake.put_back()
    for value in RUBBISH:
        for fact in FACTS:
            lake.place.state(
                "insert or replace into facts values (?, ?)", f"strava_{fact}:me", value
            )
        lake.place.pull()
        known = lake.place.state("select source_id from upstream_records where gone_at is null")
        assert {int(str(one)) for (one,) in known} == lake.place.upstream.visible_set()


@pytest.mark.parametrize("source", PLACES)
def test_rubbish_in_facts_of_others(tmp_path: Path, source: str) -> None:
    """The other services' lists are read too, whatever is remembered of them."""
    with PLACES[source](tmp_path) as place:
        assert isinstance(place, SourcePlace)
        known = {place.upload(name=f"run {number}") for number in range(3)}
        place.pull()
        for value in RUBBISH:
            with place.session() as session:
                for fact in FACTS:
                    session.state.execute(
                        "insert or replace into facts values (?, ?)",
                        (f"{source}_{fact}:me", value),
                    )
            place.pull()
        with place.session() as session:
            rows = session.state.execute(
                "select source_id from upstream_records where gone_at is null"
            )
        assert {str(one) for (one,) in rows} >= known
