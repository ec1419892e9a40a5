"""Sessions, laps, pauses, devices and kinds, message by message."""

import pytest

from tests.formats.fit_builder import (
    ACTIVITY,
    DEVICE_INFO,
    ENUM,
    EPOCH_S,
    EVENT,
    FILE_ID,
    LAP,
    LENGTH,
    SESSION,
    SPORT,
    START,
    STRING,
    TIMESTAMP,
    UINT8,
    UINT16,
    UINT32,
    definition,
    framed,
    heart_rates,
    message,
)
from tracklake.formats.fit import decode
from tracklake.formats.fit_names import (
    FILE_TYPES,
    manufacturer_name,
    number_of,
    product_name,
    spoken_name,
)
from tracklake.model import Device, Recording


def only(body: bytes) -> Recording:
    (recording,) = decode(framed(body))
    return recording


def timer_events(*events: tuple[int, int]) -> bytes:
    layout = [(TIMESTAMP, 4, UINT32), (0, 1, ENUM), (1, 1, ENUM)]
    rows = (message(1, "<IBB", START + second, 0, kind) for second, kind in events)
    return definition(1, EVENT, layout) + b"".join(rows)


@pytest.mark.parametrize(
    ("events", "pauses"),
    [
        ([(0, 0), (10, 4), (25, 0), (90, 4)], [(10, 25)]),
        ([(10, 1), (25, 0), (40, 9), (41, 0)], [(10, 25), (40, 41)]),
        ([(10, 4), (12, 4), (25, 0), (26, 0)], [(10, 25)]),
        ([(10, 4), (10, 0)], []),
        ([(25, 0), (10, 4)], [(10, 25)]),
        ([(10, 8), (25, 3), (30, 0)], [(10, 30)]),
        ([], []),
    ],
    ids=["one", "two", "repeated", "of no length", "out of order", "a marker within", "none"],
)
def test_pauses(events: list[tuple[int, int]], pauses: list[tuple[int, int]]) -> None:
    """A pause lasts from the first stop to the next start; the last stop is the end."""
    expected = tuple((START + a + EPOCH_S, START + b + EPOCH_S) for a, b in pauses)
    assert only(heart_rates(5) + timer_events(*events)).pauses == expected


def test_other_events_are_no_pauses() -> None:
    """Only the timer's stops count, not those of a lap or of the session."""
    layout = [(TIMESTAMP, 4, UINT32), (0, 1, ENUM), (1, 1, ENUM)]
    body = heart_rates(5) + definition(1, EVENT, layout)
    body += message(1, "<IBB", START, 8, 1) + message(1, "<IBB", START + 3, 0, 0)
    assert only(body).pauses == ()


def session(*, start: int, sport: int, sub_sport: int = 0, elapsed: int = 60) -> bytes:
    layout = [(TIMESTAMP, 4, UINT32), (2, 4, UINT32), (7, 4, UINT32), (5, 1, ENUM), (6, 1, ENUM)]
    values = (START + start + elapsed, START + start, elapsed * 1000, sport, sub_sport)
    return definition(2, SESSION, layout) + message(2, "<IIIBB", *values)


def test_sessions_in_the_order_of_their_start() -> None:
    """A multisport file gives a session per leg, wherever the file has them."""
    body = session(start=120, sport=1, sub_sport=3) + session(start=0, sport=5, sub_sport=18)
    sessions = only(body + heart_rates(5)).sessions
    assert [(leg.sport, leg.sub_sport) for leg in sessions] == [
        ("swimming", "open_water"),
        ("running", "trail"),
    ]
    assert [leg.start_s - EPOCH_S - START for leg in sessions] == [0, 120]
    assert [leg.elapsed_time_s for leg in sessions] == [60, 60]


def test_a_session_without_a_start() -> None:
    """The start is counted back from the end, or taken from the first record."""
    layout = [(TIMESTAMP, 4, UINT32), (7, 4, UINT32)]
    counted = definition(2, SESSION, layout) + message(2, "<II", START + 90, 60_000)
    assert only(counted).sessions[0].start_s == START + 30 + EPOCH_S
    bare = definition(2, SESSION, [(5, 1, ENUM)]) + message(2, "B", 2)
    assert only(heart_rates(5) + bare).sessions[0].start_s == START + EPOCH_S


def test_an_unknown_sport_is_its_number() -> None:
    """What no table knows stays readable as a number."""
    assert only(session(start=0, sport=199)).sessions[0].sport == "199"


def test_a_zero_heart_rate_is_none() -> None:
    """An average of no beats, which some writers store, is not a measurement."""
    body = definition(2, SESSION, [(2, 4, UINT32), (16, 1, UINT8), (17, 1, UINT8)])
    (leg,) = only(body + message(2, "<IBB", START, 0, 171)).sessions
    assert (leg.average_heartrate_bpm, leg.max_heartrate_bpm) == (None, 171.0)


def test_a_cut_off_recording_keeps_its_sport() -> None:
    """Where no session was written, the sport message names it from the first record on."""
    sport = definition(3, SPORT, [(0, 1, ENUM), (1, 1, ENUM), (3, 6, STRING)])
    body = sport + message(3, "<BB6s", 2, 6, b"Turbo") + heart_rates(5)
    (leg,) = only(body).sessions
    assert (leg.sport, leg.sub_sport, leg.name) == ("cycling", "indoor_cycling", "Turbo")
    assert leg.start_s == START + EPOCH_S


def test_a_swim_of_lengths_alone() -> None:
    """Lengths without records, laps or sessions make a session from the first to the last."""
    layout = [(2, 4, UINT32), (3, 4, UINT32)]
    body = definition(4, LENGTH, layout)
    body += message(4, "<II", START, 30_500) + message(4, "<II", START + 31, 29_500)
    recording = only(body)
    (leg,) = recording.sessions
    assert (len(recording.points), leg.sport, leg.elapsed_time_s) == (0, "swimming", 60.0)


def test_laps() -> None:
    """Laps carry the device's own totals; their wide speeds beat the narrow ones."""
    layout = [(2, 4, UINT32), (7, 4, UINT32), (9, 4, UINT32), (24, 1, ENUM), (13, 2, UINT16)]
    layout.append((110, 4, UINT32))
    body = heart_rates(5) + definition(5, LAP, layout)
    body += message(5, "<IIIBHI", START + 60, 30_000, 20_000, 2, 1000, 6_667)
    body += message(5, "<IIIBHI", START, 60_000, 40_000, 0, 1000, 0xFFFFFFFF)
    first, second = only(body).laps
    assert (first.start_s, first.trigger) == (START + EPOCH_S, "manual")
    assert (first.distance_m, first.average_speed_mps) == (400.0, 1.0)
    assert (second.trigger, second.elapsed_time_s, second.average_speed_mps) == (
        "distance",
        30,
        6.667,
    )


@pytest.mark.parametrize(
    ("local_s", "offset_s"),
    [(7200, 7200), (20_700, 20_700), (-34_200, -34_200), (3602, 3600), (0, 0)],
)
def test_utc_offset(local_s: int, offset_s: int) -> None:
    """Local time minus UTC is a quarter of an hour's multiple, give or take the readings' gap."""
    body = definition(6, ACTIVITY, [(TIMESTAMP, 4, UINT32), (5, 4, UINT32)])
    recording = only(heart_rates(2) + body + message(6, "<II", START, START + local_s))
    assert recording.utc_offset_s == offset_s


@pytest.mark.parametrize("local", [0, START + 60 * 3600, START + 450, 0xFFFFFFFF])
def test_no_utc_offset(local: int) -> None:
    """A local time that no time zone can have is no local time."""
    body = definition(6, ACTIVITY, [(TIMESTAMP, 4, UINT32), (5, 4, UINT32)])
    assert only(heart_rates(2) + body + message(6, "<II", START, local)).utc_offset_s is None


def test_the_device() -> None:
    """file_id names the maker; the creator's device_info adds what it leaves open."""
    body = definition(7, FILE_ID, [(0, 1, ENUM), (1, 2, UINT16), (2, 2, UINT16), (4, 4, UINT32)])
    body += message(7, "<BHHI", 4, 1, 3121, START)
    body += definition(8, DEVICE_INFO, [(0, 1, UINT8), (3, 4, 0x8C), (27, 8, STRING)])
    body += message(8, "<BI8s", 1, 99, b"strap") + message(8, "<BI8s", 0, 12345, b"")
    recording = only(body + heart_rates(2))
    assert recording.device == Device(
        manufacturer="garmin", product="edge_530", serial_number=12345, name="Garmin Edge 530"
    )
    assert recording.created_s == START + EPOCH_S


def test_scraps_of_memory_are_no_name() -> None:
    """A product name that begins like nothing a person would say is not one."""
    body = definition(7, FILE_ID, [(0, 1, ENUM), (1, 2, UINT16), (8, 8, STRING)])
    assert only(body + message(7, "<BH8s", 4, 260, b": 1, sp") + heart_rates(2)).device == Device(
        manufacturer="zwift", name="Zwift"
    )


@pytest.mark.parametrize(
    ("number", "kind"), [(4, "activity"), (6, "course"), (5, "workout"), (99, "99")]
)
def test_kinds(number: int, kind: str) -> None:
    """The file's own type names the kind, its number where no name is known."""
    body = definition(7, FILE_ID, [(0, 1, ENUM)]) + message(7, "B", number)
    assert only(body + heart_rates(2)).kind == kind


def test_an_activity_summary_with_a_session_is_an_activity() -> None:
    """Old swim watches write summaries only; they are activities without points."""
    body = definition(7, FILE_ID, [(0, 1, ENUM)]) + message(7, "B", 20)
    assert only(body + session(start=0, sport=5)).kind == "activity"
    assert only(body + heart_rates(2)).kind == "activity_summary"


@pytest.mark.parametrize(
    ("maker", "product", "spoken"),
    [
        ("garmin", "fr965", "Garmin Forerunner 965"),
        ("garmin", "fenix7x_pro_solar", "Garmin fenix 7X Pro Solar"),
        ("garmin", "edge_explore2", "Garmin Edge Explore2"),
        ("wahoo_fitness", "28", "Wahoo Fitness"),
        ("9999", None, None),
        (None, "5", None),
    ],
)
def test_spoken_names(maker: str | None, product: str | None, spoken: str | None) -> None:
    """A device is said as its maker says it, as far as the tables go."""
    assert spoken_name(maker, product) == spoken


def test_numbers_and_names() -> None:
    """Names and numbers translate both ways; unknown numbers are text."""
    assert (manufacturer_name(32), manufacturer_name(9), manufacturer_name(60_000)) == (
        "wahoo_fitness",
        "saris",
        "60000",
    )
    assert (product_name("garmin", 4315), product_name("coros", 802)) == ("fr965", "802")
    assert (number_of(FILE_TYPES, "course"), number_of(FILE_TYPES, "77")) == (6, 77)
    assert number_of(FILE_TYPES, "nonsense") is None
