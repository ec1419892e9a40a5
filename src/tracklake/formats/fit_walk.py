"""Finds every message of a FIT body: where it begins and which definition it follows.

One Python step a message, one vectorised compare a run of equal headers: the same header means
the same length, so the next header is found by counting. Definitions are known by their bytes,
because some devices repeat them before every message. Nothing is decoded here.

Memory: 8 bytes a message plus the definitions. CPU: linear in the bytes.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from tracklake.formats.fit_resync import next_plausible

MAX_LAYOUTS = 10_000  # distinct definitions; real files have fewer than a hundred
_UNKNOWN = 1 << 62  # longer than any file: stops the fast loop at what it cannot step over
_COMPRESSED, _DEFINITION, _DEVELOPER = 0x80, 0x40, 0x20


@dataclass(frozen=True, slots=True)
class Layout:
    """A definition: what follows the header of the messages that refer to it.

    fields: triples (field number, size, base type). developer_fields: triples (field number, size,
    developer data index); they come after the fields. length: bytes of a message with its header.
    """

    number: int  # global message number
    big_endian: bool
    fields: bytes
    developer_fields: bytes
    length: int


@dataclass(frozen=True, slots=True)
class Messages:
    """Where the messages of one layout begin: single ones, runs (start, count), compressed ones.

    compressed: those whose header carries five bits of time.
    """

    layout: Layout
    singles: array[int] = field(default_factory=lambda: array("q"))
    runs: list[tuple[int, int]] = field(default_factory=list)
    compressed: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found: the messages of every layout, sentences about damage, where it ended."""

    messages: tuple[Messages, ...]
    problems: tuple[str, ...]
    end: int


class _Walker:
    """The state that definitions change: what each of the 256 headers stands for."""

    def __init__(self, data: bytes, end: int) -> None:
        self.data = data
        self.end = end
        self.lengths = [_UNKNOWN] * 256
        self.by_header: list[Messages | None] = [None] * 256
        self.append_single = [array("q").append] * 256
        self.known: dict[bytes, Messages] = {}
        self.problems: list[str] = []

    def step_over_messages(self, position: int) -> int:
        """Note messages from `position` on; return where something else begins (or is cut off)."""
        data, end, lengths, append = self.data, self.end, self.lengths, self.append_single
        while position < end:
            header = data[position]
            length = lengths[header]
            following = position + length
            if following >= end:
                return self._last(position, header) if following == end else position
            if data[following] == header:
                position += self._run(position, header) * length
            else:
                append[header](position)
                position = following
        return position

    def _last(self, position: int, header: int) -> int:
        self.append_single[header](position)
        return self.end

    def _run(self, position: int, header: int) -> int:
        """Note a run of messages with the same header; return how many they are."""
        data, length = self.data, self.lengths[header]
        stop = self.end - length + 1  # the last message must be whole
        alike = bytes((header,))
        count, window = 0, 32
        while True:
            begin = position + count * length
            headers = data[begin : min(begin + window * length, stop) : length]
            same = len(headers) - len(headers.lstrip(alike))
            count += same
            if same < window:
                break
            window = min(window * 4, 65_536)
        self._note_run(header, position, count)
        return count

    def _note_run(self, header: int, position: int, count: int) -> None:
        messages = self.by_header[header]
        assert messages is not None  # noqa: S101 a header with a length has messages
        if header & _COMPRESSED:
            length = messages.layout.length
            messages.compressed.extend(range(position, position + count * length, length))
        else:
            messages.runs.append((position, count))

    def define(self, position: int) -> int:
        """Read the definition at `position`; return where it ends, or -1 if it is none."""
        data, header = self.data, self.data[position]
        stop = definition_end(data, position, self.end)
        if stop < 0 or data[position + 2] > 1:
            return -1
        raw = data[position + 1 : stop]
        messages = self.known.get(raw)
        if messages is None:
            if len(self.known) >= MAX_LAYOUTS:
                return -1
            messages = Messages(_layout(raw))
            self.known[raw] = messages
        local = header & 0x0F
        if self.by_header[local] is not messages:
            self._bind(local, messages)
        return stop

    def _bind(self, local: int, messages: Messages) -> None:
        length = messages.layout.length
        for header in (local, local | 0x10, local | 0x20, local | 0x30):  # reserved bits
            self.lengths[header] = length
            self.by_header[header] = messages
            self.append_single[header] = messages.singles.append
        if local < 4:
            headers = slice(_COMPRESSED | local << 5, (_COMPRESSED | local << 5) + 32)
            self.lengths[headers] = [length] * 32
            self.by_header[headers] = [messages] * 32
            self.append_single[headers] = [messages.compressed.append] * 32


def definition_end(data: bytes, position: int, end: int) -> int:
    """Return where the definition message at `position` ends, -1 if that is beyond `end`."""
    stop = position + 6
    if stop > end:
        return -1
    stop += 3 * data[position + 5]
    if data[position] & _DEVELOPER:
        if stop >= end:
            return -1
        stop += 1 + 3 * data[stop]
    return stop if stop <= end else -1


def _layout(raw: bytes) -> Layout:
    """Read a definition's bytes, from the reserved byte on."""
    big_endian = raw[1] == 1
    fields = raw[5 : 5 + 3 * raw[4]]
    developer_fields = raw[6 + 3 * raw[4] :]
    return Layout(
        number=int.from_bytes(raw[2:4], "big" if big_endian else "little"),
        big_endian=big_endian,
        fields=fields,
        developer_fields=developer_fields,
        length=1 + sum(fields[1::3]) + sum(developer_fields[1::3]),
    )


def walk(data: bytes, start: int, end: int) -> Walk:
    """Find all messages between `start` and `end`; go on behind what cannot be understood.

    Never raises. Problems say what was left out, with byte offsets.
    """
    walker = _Walker(data, end)
    position = start
    while position < end:
        position = walker.step_over_messages(position)
        if position >= end:
            break
        header = data[position]
        is_definition = header & (_COMPRESSED | _DEFINITION) == _DEFINITION
        after = walker.define(position) if is_definition else -1
        if after < 0:
            after = _behind_damage(walker, position)
        position = after
    return Walk(tuple(walker.known.values()), tuple(walker.problems), position)


def _behind_damage(walker: _Walker, position: int) -> int:
    """Return where reading can go on behind what stands at `position`; say what is lost."""
    data, end = walker.data, walker.end
    cut_off = walker.lengths[data[position]] != _UNKNOWN
    following = -1 if cut_off else next_plausible(data, position + 1, end, walker.lengths)
    if following < 0 and end - position <= 2:
        return end  # a checksum that the header's size did not foresee
    if following < 0:
        walker.problems.append(
            f"the data ends inside a message at byte {position}"
            if cut_off
            else f"nothing can be read from byte {position} on ({end - position} bytes)"
        )
        return end
    walker.problems.append(f"bytes {position} to {following - 1} cannot be read")
    return following
