"""Drawn histories: whatever is listed, edited, deleted and decided, gold is one thing."""

import random

import pytest

from tests.rows import Row, export_row, file_row, make_session
from tests.service_rows import service_id, service_row, stub_row
from tests.test_canonical_disagreeing import began, named
from tests.test_canonical_order import Landing, decided, gone, land_landing, listed, original
from tests.test_compaction import gold, query, reading
from tracklake import compaction
from tracklake.session import SyncSession

SERVICES = ("strava", "garmin", "intervals", "smashrun")
SEEDS = (1, 2)  # each takes ten seconds; more by hand


def version(chance: random.Random, source: str, number: int) -> Row:
    """Return what a service may tell of an outing, right or wrong."""
    start_s = began(number if chance.random() < 0.7 else 1)
    start_s += chance.choice((0, 0, 0, 15, 300, 3_600, -7_200, 20_000))
    told: Row = {
        "start_s": start_s,
        "distance": (5_000.0 + number) * chance.choice((1, 1, 1.01, 1.08)),
        "sport_type": chance.choice(("Run", "Run", "TrailRun", "Workout", "Ride")),
        "elapsed_time": chance.choice((1_600.0, 1_600.0, 1_500.0, 1_900.0, None)),
    }
    if source == "strava" and chance.random() < 0.3:
        told["external_id"] = f"garmin_ping_{service_id('garmin', number)}"
    if source == "intervals" and chance.random() < 0.3:
        told["strava_id"] = service_id("strava", number)
    if source == "smashrun" and chance.random() < 0.3:
        told["external_id"] = str(service_id(chance.choice(("garmin", "strava")), number))
    if chance.random() < 0.15:
        told |= {"start_hidden": True, "start_s": start_s // 86_400 * 86_400}
    if chance.random() < 0.1:
        told |= {"timezone": None, "utc_offset_s": None}
    return service_row(source, number, "me", **told)


def records_of(chance: random.Random, number: int) -> list[Row]:
    """Return the records that there are of an outing."""
    again = named(version(chance, "strava", number), f"{14_900_000_000 + number}")
    export = export_row(service_id("strava", number), number if chance.random() < 0.5 else None)
    maybe = [
        *((0.75, version(chance, source, number)) for source in SERVICES),
        *((0.4, file_row(number)), (0.3, {**export, "start_s": began(number)})),
        *((0.3, stub_row(number)), (0.25, again)),
        (0.2, named(version(chance, "garmin", number), f"{18_900_000_000 + number}")),
    ]
    return [row for odds, row in maybe if chance.random() < odds]


def history(chance: random.Random) -> list[Landing]:
    """Draw a history of two to four outings, over some weeks of May."""
    count = chance.randint(2, 4)
    records = [row for number in range(1, count + 1) for row in records_of(chance, number)]
    chance.shuffle(records)
    landings = [listed(1 + at // 2, row) for at, row in enumerate(records)]
    landings.insert(chance.randint(0, len(landings)), listed(2, *reading(31, legs=2)))
    for _ in range(chance.randint(3, 9)):
        at = chance.randrange(len(records))
        landings.append(_event(chance, len(landings) // 2 + 1, records, at))
    return landings


def _event(chance: random.Random, on: int, records: list[Row], at: int) -> Landing:
    """Draw an edit, a deletion, a return, an original that came, or a word of the athlete."""
    row, other = records[at], records[at - 1]
    is_listed = row["source"] in SERVICES and not row.get("is_stub")
    what = chance.choice(("edit", "edit", "gone", "back", "original", "merge", "merge", "split"))
    if what == "edit" and is_listed:
        edited = version(chance, str(row["source"]), chance.randint(1, 4))
        own = ("source_id", "record_id", "strava_id", "external_id")
        records[at] = edited | {key: row.get(key) for key in own}
        return listed(on, records[at])
    if what == "original" and is_listed:
        return original(on, row, file_row(chance.randint(1, 4)))
    if what in ("merge", "split") and row is not other:
        return decided(on, what, row, other)
    return gone(on, row) if what == "gone" else listed(on, row)


def bearers(session: SyncSession) -> dict[object, object]:
    """Return the ids of activities by the records that founded them."""
    rows = query(
        session,
        "select record_id, activity_id from records "
        "where record_id = founder_id and activity_id is not null",
    )
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_history_gives_one_gold(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Step by step, anew, in another order: the same; a founder keeps its id."""
    chance = random.Random(seed)  # noqa: S311 no secret
    told = history(chance)
    one = make_session(tmp_path_factory.mktemp("one"))
    before: dict[object, object] = {}
    for landing in told:
        land_landing(one, landing, None)
        if chance.random() < 0.4:
            compaction.compact(one)
            now = bearers(one)
            assert {key: before[key] for key in before.keys() & now.keys()}.items() <= now.items()
            before = now
    compaction.compact(one)
    compaction.compact(one, verify=True)
    other = make_session(tmp_path_factory.mktemp("other"))
    for landing in chance.sample(told, len(told)):
        land_landing(other, landing, None)
        if chance.random() < 0.2:
            compaction.compact(other)
    compaction.compact(other)
    assert gold(other) == gold(one)
