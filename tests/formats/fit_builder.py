"""Builds FIT bytes by hand, so that tests say which bytes they mean."""

import struct
from collections.abc import Sequence

from tracklake.formats.fit_crc import crc16

ENUM, SINT8, UINT8, SINT16, UINT16, SINT32, UINT32 = 0x00, 0x01, 0x02, 0x83, 0x84, 0x85, 0x86
STRING, FLOAT32, FLOAT64, BYTE, UINT64 = 0x07, 0x88, 0x89, 0x0D, 0x8F
FILE_ID, SESSION, LAP, RECORD, EVENT, DEVICE_INFO, ACTIVITY = 0, 18, 19, 20, 21, 23, 34
SPORT, LENGTH, FIELD_DESCRIPTION = 12, 101, 206
TIMESTAMP, LAT, LNG, ALTITUDE, HEART_RATE, CADENCE, DISTANCE, SPEED, POWER = (
    253,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
)
EPOCH_S = 631_065_600
START = 1_000_000_000  # FIT seconds

Triple = tuple[int, int, int]


def definition(
    local: int,
    number: int,
    fields: Sequence[Triple],
    *,
    developer: Sequence[Triple] = (),
    big_endian: bool = False,
) -> bytes:
    """Return a definition message; triples are (number, size, base type or developer index)."""
    header = 0x40 | local | (0x20 if developer else 0)
    head = struct.pack(
        ">BBBHB" if big_endian else "<BBBHB", header, 0, big_endian, number, len(fields)
    )
    body = b"".join(bytes(field) for field in fields)
    if not developer:
        return head + body
    return head + body + bytes((len(developer),)) + b"".join(bytes(field) for field in developer)


def message(local: int, layout: str, *values: float | bytes) -> bytes:
    """Return a data message; layout in the words of `struct`, with its byte order."""
    return bytes((local,)) + struct.pack(layout, *values)


def framed(body: bytes, *, data_size: int | None = None, header_crc: bool = True) -> bytes:
    """Return a FIT file around the messages, with the size that the header shall claim."""
    size = len(body) if data_size is None else data_size
    head = struct.pack("<BBHI4s", 14, 0x20, 21_195, size, b".FIT")
    head += struct.pack("<H", crc16(head) if header_crc else 0)
    return head + body + struct.pack("<H", crc16(head + body))


def heart_rates(count: int, *, local: int = 0) -> bytes:
    """Return a definition and `count` records of time and heart rate, one a second from START."""
    fields = [(TIMESTAMP, 4, UINT32), (HEART_RATE, 1, UINT8)]
    rows = (message(local, "<IB", START + second, 100 + second % 50) for second in range(count))
    return definition(local, RECORD, fields) + b"".join(rows)
