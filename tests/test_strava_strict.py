"""Details read strictly, in one pass: the row is what lenient reading gives, or there is none."""

import contextlib
import copy
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_json_text import JSON
from tests.test_shards import packed
from tests.upstream.account import Account
from tests.upstream.clock import MovableClock
from tracklake.json_text import parse
from tracklake.strava import facts, strict
from tracklake.strava.strict import Rows

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
LISTS = ("laps", "splits_metric", "splits_standard", "best_efforts", "segment_efforts")

Row = dict[str, Any]


def told() -> list[dict[str, Any]]:
    """Return what the simulator tells of activities of all kinds."""
    account = Account(MovableClock(NOW), points=40)
    return [account.detail(one, all_efforts=True) for one in account.fill(30)]


def shortened(detail: dict[str, Any]) -> dict[str, Any]:
    """Return an activity with two of everything."""
    return detail | {name: detail[name][:2] for name in LISTS}


EVERY = told()
USUAL = shortened(next(one for one in EVERY if all(one.get(name) for name in LISTS)))


def strictly(body: bytes) -> Row | None:
    return strict.detail(body, "me", all_efforts=True)


def leniently(body: bytes) -> Row:
    found = facts.detail(parse(body), "me", all_efforts=True)
    del found["content_hash"]
    return found


def plain(row: Row) -> dict[str, str]:
    """Return a row so that equal ones are also of equal types, to the sign of a zero."""
    unpacked = {name: list(v) if isinstance(v, Rows) else v for name, v in row.items()}
    lists = {name: [sorted(one.items()) for one in unpacked[name]] for name in LISTS}
    return {name: repr(value) for name, value in (unpacked | lists).items()}


def assert_same(body: bytes) -> None:
    """Assert that strict reading gives what lenient reading gives, or nothing."""
    found = strictly(body)
    if found is not None:
        assert plain(found) == plain(leniently(body))


# ---- what is usual


def test_what_is_usual_is_read_strictly_and_gives_the_same_row() -> None:
    """Details of all kinds of activities pass the strict reading, and every field is equal."""
    assert sum(len(one.get(name) or ()) for one in EVERY for name in LISTS) > 200
    for one in EVERY:
        body = json.dumps(one).encode()
        found = strictly(body)
        assert found is not None
        assert plain(found) == plain(leniently(body))


def details_in(value: Any) -> Iterator[Row]:
    """Yield what looks like details anywhere in a recording, bodies within it included."""
    if isinstance(value, dict) and "id" in value and "splits_metric" in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from details_in(one)
    elif isinstance(value, str) and value.startswith("{"):
        with contextlib.suppress(ValueError):
            yield from details_in(json.loads(value))


def test_recorded_answers_are_read_strictly_and_give_the_same_row(corpus: Path) -> None:
    """Details that Strava once sent pass, but for one whose id somebody made up; rows are equal."""
    paths = sorted((corpus.parent / "contracts" / "strava").rglob("*.json"))
    recorded = [one for path in paths for one in details_in(json.loads(path.read_bytes()))]
    bodies = [json.dumps(one).encode() for one in recorded if one["id"] < 2**63]
    assert len(bodies) > 5
    for body in bodies:
        found = strictly(body)
        assert found is not None
        assert plain(found) == plain(leniently(body))


# ---- what is not

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, False, 0, -0.0, 1, "", "7", " 7 ", "12.5", "x", "nan", "NaN", "true", [], {}),
        *(
            7.0,
            7.5,
            1e308,
            float("nan"),
            float("inf"),
            10**400,
            "\x00",
            "a\ud800",
            "\u00e9",
            "\\u0000",
        ),
        *(2**31 - 1, 2**31, -(2**31), 1 - 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64),
        *("2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02", "2016-12-31T23:59:60Z"),
        *("2026-01-02T03:04:05+01:60", "20260102T030405Z", " 2026-01-02T03:04:05.5Z", "24:00"),
        *([{}], [None], [[]], [{"id": 1}, {"id": 1}], {"name": "n"}, {"count": 1.0}),
    ]
)


def containers(value: Any) -> list[Any]:
    """Return all objects and lists in a value, itself first."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = [one for item in items for one in containers(item)]
    return [value, *inner] if isinstance(value, dict | list) else inner


READ = sorted(
    {name for one in containers(USUAL) if isinstance(one, dict) for name in one}
    | {"private_note", "photos", "available_zones", "kom_rank", "pace_zone", "average_watts"}
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Return a usual answer with some fields anywhere in it set to anything, or removed."""
    answer = copy.deepcopy(USUAL)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(containers(answer)))
        value = copy.deepcopy(draw(ODD | JSON))
        if isinstance(place, dict):
            name = draw(st.sampled_from(sorted(place) or READ) | st.sampled_from(READ))
            place[name] = value
            if draw(st.booleans()) and draw(st.booleans()):
                del place[name]
        else:
            place.insert(draw(st.integers(0, len(place))), value)
    return json.dumps(answer, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def refused(body: bytes) -> bool:
    """Tell whether a body is no JSON at all."""
    try:
        parse(body)
    except ValueError:
        return True
    return False


@given(changed())
def test_whatever_the_fields_are(body: bytes) -> None:
    """Any JSON in any field: both ways give the same row, and strict reading never raises."""
    found = strictly(body)
    if refused(body):
        assert found is None
    elif found is not None:
        lenient = leniently(body)
        assert plain(found) == plain(lenient)
        assert packed(found).equals(packed(lenient))


@given(st.sampled_from(READ), ODD | JSON)
def test_one_strange_field(name: str, value: Any) -> None:
    """One field with anything in it, in the activity and in each part of it, is read the same."""
    for part in (None, *LISTS):
        answer = USUAL | {name: value}
        if part is not None:
            first, *others = USUAL[part]
            answer = USUAL | {part: [first | {name: value}, *others]}
        assert_same(json.dumps(answer).encode())


@given(st.integers(0, 1 << 20), st.binary(max_size=3), st.integers(0, 3))
def test_damaged_text(position: int, inserted: bytes, removed: int) -> None:
    """Bytes put in or taken out anywhere: what is no JSON is never read, what is, is read alike."""
    body = json.dumps(EVERY[0]).encode()
    position %= len(body)
    damaged = body[:position] + inserted + body[position + removed :]
    if refused(damaged):
        assert strictly(damaged) is None
    else:
        assert_same(damaged)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_numbers_are_read_to_the_last_bit(number: float) -> None:
    """A number in a field is the same in both readings, whatever it is."""
    body = json.dumps({"id": 1, "calories": number, "laps": [{"distance": number}]}).encode()
    found = strictly(body)
    assert found is not None
    assert plain(found) == plain(leniently(body))


@pytest.mark.parametrize(
    ("text", "is_strict"),
    [
        ('{"id": 7}', True),
        ('{"id": 7, "id": 8}', True),
        ('{"id": "x", "id": 8}', True),
        ('{"id": 7, "calories": 1, "calories": "2"}', False),
        ('{"id": 7, "laps": [{"lap_index": 3}], "laps": [{"lap_index": 4}]}', True),
        ('{"id": 7, "gear": {"name": "a"}, "gear": {}}', True),
        ('{"id": 7, "\\u0063alories": 3}', True),
        ('{"id": 7, "calories": -0}', True),
        ('{"id": 7, "calories": -0.0}', True),
        ('{"id": 7, "calories": 1E400}', False),
        ('{"id": 7, "other": 1E400}', True),
        ('{"id": 7, "other": NaN, "calories": 5}', True),
        ('{"id": 7, "calories": NaN}', False),
        ('{"id": 7, "description": "\\u0000"}', False),
        ('{"id": 7, "other": "\\u0000"}', False),
        ('{"id": 7, "description": "\\ud83d\\ude00 \\u00e9"}', True),
        ('{"id": 7, "description": "\\ud83d"}', False),
        ('{"id": 7, "other": ' + "[" * 150 + "]" * 150 + "}", True),
        ('{"id": 7, "other": ' + "[" * 900 + "]" * 900 + "}", False),
        ('{"id": 7, "available_zones": [' + "[" * 900 + "]" * 900 + "]}", False),
        ('{"id": 7, "available_zones": ["a", null]}', False),
        ('\ufeff{"id": 7}', False),
        ('  {"id": 7}\n', True),
        ('{"id": 7, "laps": null, "gear": null, "map": null, "photos": null}', True),
        ('{"id": 7, "laps": {}, "gear": [], "map": "", "photos": 0}', False),
        (
            '{"id": 7, "segment_efforts": [{"id": 1, "segment": null}, {"id": 1, "name": "b"}]}',
            True,
        ),
        ('{"id": 7, "best_efforts": [{"name": null}, {"name": "1k"}, {}]}', True),
        ('{"id": 7, "splits_metric": [{}, {"split": 0}, {"split": 1}, {"split": -1}]}', True),
    ],
)
def test_strange_answers(text: str, is_strict: bool) -> None:
    """Doubled keys, escapes, numbers that are none, depth, nulls: one row, whoever reads it."""
    body = text.encode()
    assert (strictly(body) is not None) == is_strict
    assert_same(body)
    leniently(body)


@pytest.mark.parametrize("text", ["", "[]", "7", "null", "{}", '{"id": 0}', '{"id": null}', "<p>"])
def test_what_is_no_activity(text: str) -> None:
    """What has no id, or is no object, is left to those who say what is wrong."""
    assert strictly(text.encode()) is None
