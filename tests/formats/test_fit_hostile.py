"""Files made to hurt: what they cost is bounded, what they raise is InvalidData."""

from __future__ import annotations

import random
import struct
import tracemalloc

import pytest

from tests.formats.fit_builder import (
    BYTE,
    ENUM,
    FIELD_DESCRIPTION,
    HEART_RATE,
    LAP,
    RECORD,
    SESSION,
    SPORT,
    STRING,
    TIMESTAMP,
    UINT8,
    UINT32,
    definition,
    framed,
    heart_rates,
)
from tracklake.errors import InvalidData
from tracklake.formats import fit_records
from tracklake.formats.fit import decode
from tracklake.formats.fit_parts import MAX_PARTS
from tracklake.formats.fit_walk import MAX_DAMAGES, MAX_LAYOUTS

SIZE = 120_000  # bytes of each bomb
BYTES_A_BYTE = 90  # memory at the peak, worst case: ten columns of float64 and their masks


def repeated(unit: bytes) -> bytes:
    return unit * (SIZE // len(unit))


def redefined_wide() -> bytes:
    layout = definition(0, RECORD, [(number, 255, UINT8) for number in range(255)])
    return repeated(layout + bytes(1 + 255 * 255))


def redefined_only() -> bytes:
    return repeated(definition(0, RECORD, [(number, 1, UINT8) for number in range(255)]))


def redefined_differently() -> bytes:
    chance = random.Random(7)  # noqa: S311 no secret
    return b"".join(
        definition(0, RECORD, [(chance.randrange(255), 1, UINT8) for _ in range(3)]) + b"\0abc"
        for _ in range(SIZE // 19)
    )


def records_of_nothing() -> bytes:
    return definition(0, RECORD, []) + bytes(SIZE)


def alternating_records_and_laps() -> bytes:
    return definition(0, RECORD, []) + definition(1, LAP, []) + repeated(b"\0\1")


def short_runs() -> bytes:
    layouts = definition(0, RECORD, [(HEART_RATE, 1, UINT8)])
    layouts += definition(1, RECORD, [(4, 1, UINT8)])
    return layouts + repeated(b"\0\x50\0\x51\1\x52\1\x53")


def many_sessions() -> bytes:
    layout = definition(0, SESSION, [(TIMESTAMP, 4, UINT32), (7, 1, ENUM)])
    return heart_rates(3, local=1) + layout + repeated(b"\0\0\0\0\x40\5")


def compressed_times() -> bytes:
    full = definition(0, RECORD, [(TIMESTAMP, 4, UINT32)]) + b"\0\0\0\0\x40"
    short = definition(1, RECORD, [(HEART_RATE, 1, UINT8)])
    return full + short + repeated(bytes(b for n in range(32) for b in (0xA0 | n, 80)))


def undefined_messages() -> bytes:
    return heart_rates(3) + repeated(b"\x05")


def half_definitions() -> bytes:
    return repeated(b"\x40\0\0\x14\0\xff")


def damage_everywhere() -> bytes:
    return repeated(heart_rates(2) + b"\x0f" * 9)


def developer_fields() -> bytes:
    layout = [(0, 1, UINT8), (1, 1, UINT8), (2, 1, UINT8), (15, 1, UINT8)]
    body = definition(0, FIELD_DESCRIPTION, layout)
    body += b"".join(bytes((0, 0, number % 256, UINT8, 3)) for number in range(2_000))
    developer = [(number, 1, 0) for number in range(255)]
    body += definition(1, RECORD, [(4, 1, UINT8)], developer=developer)
    return body + repeated(b"\1" + bytes(256))


def long_texts() -> bytes:
    layout = definition(0, SPORT, [(3, 255, STRING)])
    return heart_rates(3, local=1) + layout + repeated(b"\0" + b"a" * 255)


def noise() -> bytes:
    return random.Random(11).randbytes(SIZE)  # noqa: S311 no secret


BOMBS = [
    redefined_wide,
    redefined_only,
    redefined_differently,
    records_of_nothing,
    alternating_records_and_laps,
    short_runs,
    many_sessions,
    compressed_times,
    undefined_messages,
    half_definitions,
    damage_everywhere,
    developer_fields,
    long_texts,
    noise,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.__name__)
def test_bombs_stay_small(bomb: object) -> None:
    """No bomb takes more than a fixed multiple of its own size, and all end in data or refusal."""
    assert callable(bomb)
    data = framed(bomb(), data_size=0xFFFFFFFF)
    tracemalloc.start()
    try:
        recordings = decode(data)
    except InvalidData:
        recordings = ()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BYTES_A_BYTE * len(data) + 20_000_000
    for recording in recordings:
        assert len(recording.problems) <= MAX_DAMAGES + 5
        assert len(recording.sessions) <= 10_000


def test_layouts_are_bounded() -> None:
    """Of endless different definitions the first MAX_LAYOUTS are read; the rest is told."""
    (recording,) = decode(framed(redefined_differently()))
    assert len(recording.points) == MAX_LAYOUTS
    assert any("nothing can be read from byte" in problem for problem in recording.problems)


def test_records_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records beyond the limit are left out, first ones kept, and told."""
    monkeypatch.setattr(fit_records, "MAX_RECORDS", 250)
    (recording,) = decode(framed(heart_rates(100) + heart_rates(300, local=1)))
    assert len(recording.points) == 250
    assert recording.problems == ("150 records too many were left out",)


def test_chains_are_bounded() -> None:
    """Of endless chained files the first MAX_PARTS are read; the rest is told."""
    recordings = decode(framed(heart_rates(1)) * (MAX_PARTS + 5))
    assert len(recordings) == MAX_PARTS
    assert "are not FIT" in recordings[0].problems[0]


def test_a_field_of_bytes_is_no_number() -> None:
    """A value spread over 200 bytes is stepped over, its neighbours are read."""
    layout = definition(0, RECORD, [(TIMESTAMP, 200, BYTE), (HEART_RATE, 1, UINT8)])
    (recording,) = decode(framed(layout + struct.pack("<B200sB", 0, b"x" * 200, 99)))
    assert recording.points.heartrate_bpm.tolist() == [99.0]
