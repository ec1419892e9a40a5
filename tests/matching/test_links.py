"""What records name one another by, and when that is not believed."""

from dataclasses import replace

import pytest

from tests.matching.made_up import DAY_S, MORNING_S, groups, together, told
from tracklake.matching import grouped, links


@pytest.mark.parametrize(
    ("source", "source_id", "said", "keys"),
    [
        ("strava", "9", {"external_id": "garmin_push_123456"}, {"strava:9", "garmin:123456"}),
        ("strava", "9", {"external_id": "garmin_ping_123456.fit"}, {"strava:9", "garmin:123456"}),
        ("strava", "9", {"external_id": "123456_ACTIVITY.fit"}, {"strava:9", "garmin:123456"}),
        ("strava", "9", {"external_id": "lunch.fit"}, {"strava:9"}),
        (
            "strava",
            "9",
            {"external_id": f"tracklake-{'ab' * 16}.fit"},
            {"strava:9", f"file:{'ab' * 16}"},
        ),
        ("garmin", "123456", {}, {"garmin:123456"}),
        ("garmin", "1", {"file_sha256": "ab" * 32}, {"garmin:1", f"file:{'ab' * 16}"}),
        (
            "intervals",
            "i5",
            {"external_id": "123456", "strava_id": 9},
            {"intervals:i5", "garmin:123456", "strava:9"},
        ),
        (
            "smashrun",
            "7",
            {"external_id": "123456"},
            {"smashrun:7", "garmin:123456", "strava:123456"},
        ),
        ("files", "ab" * 32, {"file_sha256": "ab" * 32}, {f"file:{'ab' * 16}"}),
        ("files", "ab" * 32 + "/2", {"file_sha256": "ab" * 32}, {f"file:{'ab' * 16}"}),
        ("files", "ab" * 32 + "#2/1", {"file_sha256": "ab" * 32}, {f"file:{'ab' * 16}#2"}),
        (
            "files",
            "strava-export/9",
            {"strava_id": 9, "file_sha256": "ab" * 32},
            {"strava:9", f"file:{'ab' * 16}"},
        ),
    ],
)
def test_records_name_what_they_come_from(
    source: str, source_id: str, said: dict[str, str], keys: set[str]
) -> None:
    """Each source's way of naming Garmin's, Strava's and files' ids gives the same keys."""
    assert links(source=source, source_id=source_id, **said) == keys


def test_links_hold_over_several_steps_and_without_any_time() -> None:
    """Garmin, Strava that names Garmin's id, intervals and a stub that name Strava's are one."""
    garmin = told("garmin", "123456", first_ingested_s=1.0)
    strava = told("strava", "9", external_id="garmin_push_123456", start_s=None)
    native = told("intervals", "i5", strava_id=9, start_s=None, elapsed_s=None)
    stub = told("intervals", "9", strava_id=9, is_stub=True, first_ingested_s=0.5)
    found = grouped([stub, native, strava, garmin])
    assert together(found, stub, native, strava, garmin)
    assert found.assignments[stub.record_id].founder == strava.record_id
    assert found.assignments[stub.record_id].method == "strava_id"
    assert found.assignments[garmin.record_id].method == "external_id"
    assert found.assignments[garmin.record_id].confidence == 1.0


def test_a_link_that_the_clock_contradicts_is_a_doubt() -> None:
    """The same Garmin id a month apart merges only if durations and distances agree (a clock)."""
    garmin = told("garmin", "123456")
    later = told("strava", "9", external_id="garmin_push_123456", start_s=MORNING_S + 30 * DAY_S)
    other = replace(later, distance_m=4_000.0)
    assert together(grouped([garmin, later]), garmin, later)
    found = grouped([garmin, other])
    assert not together(found, garmin, other)
    assert [match.method for match in found.doubtful] == ["external_id"]


def test_a_number_that_could_be_two_services_ids_takes_the_one_that_fits() -> None:
    """SmashRun's 123456 is Garmin's run of that morning, not Strava's ride of years ago."""
    garmin = told("garmin", "123456")
    strava = told("strava", "123456", start_s=MORNING_S - 900 * DAY_S, distance_m=40_000.0)
    smashrun = told("smashrun", "7", external_id="123456")
    found = grouped([garmin, strava, smashrun])
    assert together(found, garmin, smashrun)
    assert not together(found, garmin, strava)


def test_two_records_of_a_service_never_become_one_through_a_third() -> None:
    """Of two Strava activities that name one Garmin id, the one that fits better has it."""
    garmin = told("garmin", "123456")
    whole = told("strava", "9", external_id="garmin_push_123456")
    rest = told(
        "strava", "10", external_id="garmin_push_123456", elapsed_s=900.0, start_s=MORNING_S + 2_700
    )
    found = grouped([rest, garmin, whole])
    assert groups(found) == {
        frozenset({garmin.record_id, whole.record_id}),
        frozenset({rest.record_id}),
    }


def test_recordings_and_legs_of_one_file_stay_apart() -> None:
    """A file with two recordings and two legs is as many activities; copies elsewhere join each."""
    sha = "ab" * 32
    names = [sha, f"{sha}/1", f"{sha}/2", f"{sha}#2"]
    legs = [0, 1, 2, 0]
    starts = [0.0, 0.0, 3_600.0, 20_000.0]
    own = [
        told("files", name, file_sha256=sha, leg_index=leg, start_s=MORNING_S + s, has_legs=n == 0)
        for n, (name, leg, s) in enumerate(zip(names, legs, starts, strict=True))
    ]
    export = told("files", "strava-export/9", strava_id=9, file_sha256=sha, has_legs=True)
    found = grouped([*own, export])
    assert together(found, own[0], export)
    assert len(groups(found)) == len(own)


def test_a_part_does_not_become_its_whole_by_the_wholes_id() -> None:
    """Strava's swim that names the triathlon's Garmin id is not the triathlon."""
    whole = told("garmin", "123456", has_legs=True, elapsed_s=9_000.0, sport_type="Workout")
    swim = told("strava", "9", external_id="garmin_push_123456", elapsed_s=1_800.0)
    assert not together(grouped([whole, swim]), whole, swim)


def test_a_key_that_too_many_bear_stays_cheap_and_joins_nothing_of_one_service() -> None:
    """A thousand records that name one file by mistake take no time and stay as they are."""
    many = [
        told("strava", str(n), external_id="garmin_push_100001", start_s=MORNING_S + n * DAY_S)
        for n in range(1_000)
    ]
    assert len(groups(grouped(many))) == len(many)
