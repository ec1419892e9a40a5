"""Cuts a FIT file into its parts: each a header, a body and a checksum, one behind the other."""

from __future__ import annotations

from dataclasses import dataclass

from tracklake.formats.fit_crc import crc16
from tracklake.formats.fit_resync import is_plausible_definition

MAX_PARTS = 64  # chained files; a heart rate strap read out by a watch makes a dozen
_MAGIC = b".FIT"
_HEADER_SIZES = (14, 12)
_PREAMBLE = 1024  # bytes searched for a header that does not stand where it should
_NOTHING_KNOWN = [None] * 256


@dataclass(frozen=True, slots=True)
class Part:
    """One FIT file within the bytes: where its messages lie, what is wrong with its frame."""

    start: int
    end: int
    problems: tuple[str, ...]


def parts(data: bytes) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Return the parts of a file and sentences about what lies outside of them.

    No parts: there is nothing in these bytes that looks like FIT.
    """
    found: list[Part] = []
    problems: list[str] = []
    position = 0
    while position < len(data) and len(found) < MAX_PARTS:
        header = _find_header(data, position)
        if header < 0:
            break
        if header > position:
            problems.append(f"bytes {position} to {header - 1} are not FIT")
        part, position = _part(data, header)
        found.append(part)
    if found and data[position:].strip(b"\0"):
        problems.append(f"bytes {position} to {len(data) - 1} are not FIT")
    return tuple(found), tuple(problems)


def _find_header(data: bytes, position: int) -> int:
    """Return where a header begins at or soon after `position`, -1 if none does."""
    magic = data.find(_MAGIC, position + 8, position + 8 + _PREAMBLE + len(_MAGIC))
    if magic >= 0:
        return magic - 8
    size = data[position]
    looks_like_one = size in _HEADER_SIZES and _begins_messages(data, position + size)
    return position if looks_like_one else -1


def _begins_messages(data: bytes, position: int) -> bool:
    return (
        position + 6 <= len(data)
        and data[position] & 0xD0 == 0x40
        and is_plausible_definition(data, position, len(data), _NOTHING_KNOWN)
    )


def _part(data: bytes, header: int) -> tuple[Part, int]:
    """Return the part whose header begins at `header` and the position behind it."""
    problems = _header_problems(data, header)
    start = header + _header_size(data, header)
    declared_end = start + int.from_bytes(data[header + 4 : header + 8], "little")
    end, sound = _extent(data, header, start, declared_end)
    if sound and end != declared_end:
        problems.append("the header says a wrong size")
    elif not sound:
        problems.append(_frame_damage(data, start, declared_end))
    behind = end + 2 if sound or end == declared_end else end
    return Part(start, min(end, len(data)), tuple(problems)), max(behind, header + 1)


def _extent(data: bytes, header: int, start: int, declared_end: int) -> tuple[int, bool]:
    """Return where the messages end and whether a checksum confirms it."""
    if start < declared_end <= len(data) - 2:
        if _checks(data, header, declared_end):
            return declared_end, True
        behind = declared_end + 2
        if behind == len(data) or data[behind + 8 : behind + 12] == _MAGIC:
            return declared_end, False
    limit = _next_header(data, start)
    if limit - 2 > start and _checks(data, header, limit - 2):
        return limit - 2, True
    return limit, False


def _next_header(data: bytes, start: int) -> int:
    magic = data.find(_MAGIC, start + 8)
    while magic >= 0:
        if data[magic - 8] in _HEADER_SIZES and _begins_messages(data, magic - 8 + data[magic - 8]):
            return magic - 8
        magic = data.find(_MAGIC, magic + 1)
    return len(data)


def _checks(data: bytes, header: int, end: int) -> bool:
    stored = int.from_bytes(data[end : end + 2], "little")
    return crc16(memoryview(data)[header:end]) == stored


def _frame_damage(data: bytes, start: int, declared_end: int) -> str:
    if start == declared_end:
        return "the header says a size of 0: the recording was never finished"
    if declared_end > len(data) - 2:
        missing = declared_end + 2 - len(data)
        return f"the file is cut off: {missing} bytes of {declared_end + 2 - start} are missing"
    return f"the checksum at byte {declared_end} is wrong"


def _header_size(data: bytes, header: int) -> int:
    """Return the header's own size if messages begin behind it, else that of a usual header."""
    sizes = (data[header], *_HEADER_SIZES)
    likely = (size for size in sizes if size >= 12 and _begins_messages(data, header + size))
    return next(likely, data[header] if data[header] in _HEADER_SIZES else 14)


def _header_problems(data: bytes, header: int) -> list[str]:
    problems = []
    if data[header + 8 : header + 12] != _MAGIC:
        problems.append(f"the header at byte {header} has no '.FIT'")
    size = data[header]
    if size not in _HEADER_SIZES:
        problems.append(f"the header at byte {header} says a size of {size} bytes")
    stored = int.from_bytes(data[header + 12 : header + 14], "little") if size == 14 else 0
    if stored and crc16(data[header : header + 12]) != stored:  # 0: not computed, which is legal
        problems.append(f"the checksum of the header at byte {header} is wrong")
    return problems
