"""Finds every message of a FIT body: where it begins and which definition it follows.

One Python step a message, one vectorised compare a run of equal headers: the same header means
the same length, so the next header is found by counting. Definitions are known by their bytes,
because some devices repeat them before every message. Nothing is decoded here.

Memory: 8 bytes a message plus the definitions. CPU: linear in the bytes.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from tracklake.formats.fit_layout import Messages, definition_end, layout_of
from tracklake.formats.fit_resync import next_readable

MAX_LAYOUTS = 2_048  # distinct definitions; the most seen in a real file were 366
MAX_DAMAGES = 256  # places where reading is taken up again; beyond, a file is no recording
_UNKNOWN = 1 << 62  # longer than any file: stops the fast loop at what it cannot step over
_COMPRESSED, _DEFINITION = 0x80, 0x40


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found: the messages of every layout, sentences about damage."""

    messages: tuple[Messages, ...]
    problems: tuple[str, ...]


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
            messages.run_starts.append(position)
            messages.run_counts.append(count)

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
            messages = Messages(layout_of(raw))
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
        position = after if after >= 0 else _behind_damage(walker, position)
    return Walk(tuple(walker.known.values()), tuple(walker.problems))


def _behind_damage(walker: _Walker, position: int) -> int:
    """Return where reading can go on behind what stands at `position`; say what is lost."""
    end, following = walker.end, -1
    is_cut_off = walker.lengths[walker.data[position]] != _UNKNOWN
    is_hopeless = len(walker.problems) >= MAX_DAMAGES or len(walker.known) >= MAX_LAYOUTS
    if not is_hopeless:
        following = next_readable(walker.data, position + 1, end, walker.by_header)
    if following >= 0:
        walker.problems.append(f"bytes {position} to {following - 1} cannot be read")
        return following
    if is_cut_off:
        walker.problems.append(f"the data ends inside a message at byte {position}")
    elif end - position > 2:  # else a checksum that the header's size did not foresee
        lost = end - position
        walker.problems.append(f"nothing can be read from byte {position} on ({lost} bytes)")
    return end
