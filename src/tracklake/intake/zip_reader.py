"""A reader of ZIP archives that trusts nothing they say.

Not the standard library's, because that one refuses a whole archive for one undecodable name, and
counts no limits. Members are read by position, never extracted by name. Facts: PKWARE's APPNOTE
6.3, sections 4.3 and 4.5.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tracklake.errors import InvalidData
from tracklake.intake.containers import MOST_BYTES, inflate

MOST_MEMBERS = 200_000  # of which at most 100,000 may be activities
_MOST_DIRECTORY_BYTES = 128 << 20
_STEP = 1 << 16

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_WIDE = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX_TYPE, _UNIX_LINK = 0o170000, 0o120000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of an archive's directory, as the archive describes it."""

    name: str  # undecodable bytes are shown as \\x..
    offset: int  # of its local header, bytes from the start of the file
    packed_bytes: int
    unpacked_bytes: int
    method: int
    crc: int
    encrypted: bool
    is_file: bool  # neither a folder nor a symbolic link


def members(stream: BinaryIO) -> tuple[Member, ...]:
    """Read an archive's directory.

    Raises InvalidData where there is none, where it lies about itself, where members overlap (a
    way to make bombs: https://www.bamsoftware.com/hacks/zipbomb/), or where there are too many.
    """
    size = stream.seek(0, io.SEEK_END)
    count, directory, shift = _directory(stream, size)
    if count > MOST_MEMBERS:
        raise InvalidData(f"it has {count:,} members", reason="too_many_members")
    found = tuple(_entries(directory, shift))
    _check_overlaps(found, size)
    return found


def _directory(stream: BinaryIO, size: int) -> tuple[int, bytes, int]:
    """Return the number of entries, their bytes, and by how much all offsets are too small."""
    tail_at = max(0, size - _END.size - 0xFFFF)
    stream.seek(tail_at)
    tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END.size:
        message = "the archive has no directory (an incomplete download?)"
        raise InvalidData(message, reason="bad_zip")
    _, _, _, _, count, length, offset, _ = _END.unpack_from(tail, end)
    directory_end = tail_at + end
    if count == 0xFFFF or _WIDE in (length, offset):
        count, length, offset, directory_end = _wide_end(stream, tail_at + end)
    start = directory_end - length
    if length > _MOST_DIRECTORY_BYTES or start < offset:
        raise InvalidData("the archive's directory is not where it should be", reason="bad_zip")
    stream.seek(start)
    return count, stream.read(length), start - offset


def _wide_end(stream: BinaryIO, end_at: int) -> tuple[int, int, int, int]:
    """Read the ZIP64 end record: entries, length, offset, and where the record itself begins."""
    stream.seek(max(0, end_at - _END64_LOCATOR.size))
    locator = stream.read(_END64_LOCATOR.size)
    if len(locator) == _END64_LOCATOR.size and locator.startswith(b"PK\x06\x07"):
        # It stands right before its locator; where it says to be is wrong behind prepended bytes.
        at = end_at - _END64_LOCATOR.size - _END64.size
        stream.seek(max(0, at))
        record = stream.read(_END64.size)
        if len(record) == _END64.size and record.startswith(b"PK\x06\x06"):
            *_, count, length, offset = _END64.unpack(record)
            return count, length, offset, at
    raise InvalidData("the archive's ZIP64 directory is missing", reason="bad_zip")


def _entries(directory: bytes, shift: int) -> Iterator[Member]:
    position = 0
    while position < len(directory):
        if len(directory) - position < _ENTRY.size or directory[position : position + 4] != (
            b"PK\x01\x02"
        ):
            raise InvalidData("the archive's directory is damaged", reason="bad_zip")
        entry = _ENTRY.unpack_from(directory, position)
        name_at = position + _ENTRY.size
        extra_at = name_at + entry[10]
        position = extra_at + entry[11] + entry[12]
        name = directory[name_at:extra_at]
        extra = directory[extra_at : extra_at + entry[11]]
        yield _member(entry, name, extra, shift)


def _member(entry: tuple[int, ...], raw_name: bytes, extra: bytes, shift: int) -> Member:
    _, made_by, _, flags, method, _, _, crc, packed, unpacked = entry[:10]
    attributes, offset = entry[15], entry[16]
    unpacked, packed, offset = _widened((unpacked, packed, offset), extra)
    kind = attributes >> 16 & _UNIX_TYPE if made_by >> 8 == 3 else 0  # 3: made on Unix
    return Member(
        name=_name(raw_name, flags),
        offset=offset + shift,
        packed_bytes=packed,
        unpacked_bytes=unpacked,
        method=method,
        crc=crc,
        encrypted=bool(flags & _ENCRYPTED),
        is_file=not raw_name.endswith((b"/", b"\\")) and kind != _UNIX_LINK,
    )


def _widened(values: tuple[int, int, int], extra: bytes) -> tuple[int, int, int]:
    """Replace what does not fit in 32 bits by the 64-bit values of extra field 1."""
    wide: list[int] = []
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, position)
        if tag == 1:
            body = extra[position + 4 : position + 4 + length]
            wide = [number for (number,) in struct.iter_unpack("<Q", body[: len(body) // 8 * 8])]
        position += 4 + length
    queue = iter(wide)
    first, second, third = (next(queue, _WIDE) if value == _WIDE else value for value in values)
    return first, second, third


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # Without the flag the standard says code page 437, which has a character for every byte.
        return raw.decode("utf-8", "backslashreplace") if flags & _UTF8 else raw.decode("cp437")


def _check_overlaps(found: tuple[Member, ...], size: int) -> None:
    end = 0
    for member in sorted(found, key=lambda member: member.offset):
        if member.offset < end:
            raise InvalidData("members of the archive overlap", reason="bomb")
        end = member.offset + _LOCAL.size + member.packed_bytes
    if end > size:
        raise InvalidData("the archive is cut off in the middle", reason="bad_zip")


def read(stream: BinaryIO, member: Member, *, most_bytes: int = MOST_BYTES) -> Iterator[bytes]:
    """Unpack a member piece by piece.

    Raises InvalidData where it is encrypted, packed in an unknown way, larger than the limits,
    or, at its end, where its checksum differs.
    """
    if member.encrypted:
        raise InvalidData("it is encrypted; unpack the archive yourself", reason="encrypted")
    if member.method not in (_STORED, _DEFLATED):
        message = f"it is packed by method {member.method}, which is not supported"
        raise InvalidData(message, reason="unsupported_packing")
    _seek_content(stream, member)
    crc = 0
    try:
        for chunk in _unpack(stream, member, most_bytes):
            crc = zlib.crc32(chunk, crc)
            yield chunk
    except zlib.error as error:
        raise InvalidData(f"it is damaged ({error})", reason="bad_zip") from error
    if crc != member.crc:
        raise InvalidData("its checksum differs from its content's", reason="bad_crc")


def _seek_content(stream: BinaryIO, member: Member) -> None:
    stream.seek(member.offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise InvalidData("its place in the archive holds something else", reason="bad_zip")
    *_, name_bytes, extra_bytes = _LOCAL.unpack(header)
    stream.seek(name_bytes + extra_bytes, io.SEEK_CUR)


def _unpack(stream: BinaryIO, member: Member, most_bytes: int) -> Iterator[bytes]:
    if member.method == _DEFLATED:
        inflater = zlib.decompressobj(wbits=-15)
        yield from inflate(stream, inflater, member.packed_bytes, most_bytes=most_bytes)
        return
    left = member.packed_bytes
    if left > most_bytes:
        raise InvalidData(f"it is larger than {most_bytes >> 20} MiB", reason="too_large")
    while left and (chunk := stream.read(min(_STEP, left))):
        left -= len(chunk)
        yield chunk
    if left:
        raise InvalidData("it ends too early", reason="truncated")
