"""What goes wrong between two sockets: FAULTS T1 to T5 and T8. Intervals are real seconds."""

# ruff: noqa: ARG002 - not every fault needs all that it is given

import dataclasses
import functools
import gzip
import zlib

from tests.upstream.calls import Answer, Call, head
from tests.upstream.faults import Fault, send_well
from tests.upstream.wire import Wire

MEBIBYTE = 1 << 20


@dataclasses.dataclass
class Refuse(Fault):
    """Close without a byte; `processed`: only after the call had its effect (answer lost)."""

    processed: bool = False

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        wire.close()
        return True


@dataclasses.dataclass
class Reset(Fault):
    """RST after so many bytes of the body; None: before the first byte of the head."""

    after_bytes: int | None = 3_000

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        if self.after_bytes is not None:
            body = answer.body()
            wire.write(head(answer, call.moment, len(body)) + body[: self.after_bytes])
        wire.reset()
        return True


@dataclasses.dataclass
class ShortBody(Fault):
    """Promise more bytes than are sent, then close in an orderly way."""

    missing_bytes: int = 10

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        body = answer.body()
        wire.write(head(answer, call.moment, len(body) + self.missing_bytes) + body)
        wire.close()
        return True


@dataclasses.dataclass
class Chunked(Fault):
    """Send the body in chunks; `cut_bytes`: close in the middle of the last chunk."""

    cut_bytes: int = 0
    chunk_bytes: int = 1_000

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        body = answer.body()
        pieces = [body[at : at + self.chunk_bytes] for at in range(0, len(body), self.chunk_bytes)]
        whole = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        start = head(answer, call.moment, None, Transfer_Encoding="chunked")
        if self.cut_bytes:
            wire.write(start + whole[: -(self.cut_bytes + 2)])
            wire.close()
        else:
            wire.write(start + whole + b"0\r\n\r\n")
        return True


@dataclasses.dataclass
class NoLength(Fault):
    """Say no length and close at the end; `cut_bytes` before it: only JSON can tell."""

    cut_bytes: int = 0

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        body = answer.body()
        start = head(answer, call.moment, None, Connection="close")
        wire.write(start + body[: len(body) - self.cut_bytes])
        wire.close()
        return True


@dataclasses.dataclass
class SlowBody(Fault):
    """Drip the body: a byte each interval."""

    interval_s: float = 0.2

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        body = answer.body()
        wire.write(head(answer, call.moment, len(body)))
        wire.drip(body, self.interval_s)
        return True


@dataclasses.dataclass
class SlowHeaders(Fault):
    """Drip everything, from the first byte of the head."""

    interval_s: float = 0.2

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        body = answer.body()
        wire.drip(head(answer, call.moment, len(body)) + body, self.interval_s)
        return True


@dataclasses.dataclass
class Late(Fault):
    """Answer well, after so many real seconds of silence."""

    seconds: float = 1.0

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        wire.hold(self.seconds)
        send_well(wire, answer, call)
        return True


@dataclasses.dataclass
class HangUp(Fault):
    """Answer well and promise to keep the connection, but close it (T8)."""

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        send_well(wire, answer, call)
        wire.close()
        return True


def _send_gzip(wire: Wire, answer: Answer, call: Call, packed: bytes) -> bool:
    start = head(answer, call.moment, len(packed), Content_Encoding="gzip")
    wire.write(start + packed)
    return True


@dataclasses.dataclass
class Gzip(Fault):
    """Compress the body, as the real service does; `kept`: send only that part of it."""

    kept: float = 1.0

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        packed = gzip.compress(answer.body(), 1)
        return _send_gzip(wire, answer, call, packed[: int(len(packed) * self.kept)])


@dataclasses.dataclass
class BadGzip(Fault):
    """Say gzip and send the body as it is."""

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        return _send_gzip(wire, answer, call, answer.body())


@dataclasses.dataclass
class GzipBomb(Fault):
    """A small valid body, an empty JSON list, that unpacks to so many MiB of blanks."""

    mebibytes: int = 300

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        return _send_gzip(wire, answer, call, _bomb(self.mebibytes))


@functools.cache
def _bomb(mebibytes: int) -> bytes:
    """Return gzip of "[", blanks and "]": one flushed block repeated, so that it costs little."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    blanks = b" " * MEBIBYTE
    start = packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(b"]") + packer.flush(zlib.Z_FINISH)
    check = zlib.crc32(b"[")
    for _ in range(mebibytes):
        check = zlib.crc32(blanks, check)
    check = zlib.crc32(b"]", check)
    length_bytes = (mebibytes * MEBIBYTE + 2) % (1 << 32)
    trailer = check.to_bytes(4, "little") + length_bytes.to_bytes(4, "little")
    return b"\x1f\x8b\x08\0\0\0\0\0\x02\xff" + start + block * mebibytes + end + trailer
