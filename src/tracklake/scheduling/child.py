"""A command at work: in a process group of its own, without a shell, its output line by line."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import IO, cast

_PIECE_BYTES = 1 << 16
_MOST_PIECES = 16  # then it is time to look at the clock again
_LONGEST_LINE_BYTES = 1 << 14
_LAST_WAIT_S = 1.0  # the kernel's, after SIGKILL


class Child:
    """A process that was started; raises OSError where none can be."""

    def __init__(self, command: Sequence[str], told: bytes = b"") -> None:
        """Start it; `told` is what it reads on standard input, a few hundred bytes at most."""
        self._process = subprocess.Popen(  # noqa: S603 our own commands, words of a checked crontab
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in our terminal is ours to pass on
        )
        with contextlib.suppress(BrokenPipeError), cast(IO[bytes], self._process.stdin) as pipe:
            pipe.write(told)
        self._output = cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._output.fileno(), False)
        self._rest = b""
        self._is_open = True

    @property
    def output(self) -> int | None:
        """The descriptor to wait for; None once the output ended."""
        return self._output.fileno() if self._is_open else None

    def lines(self) -> Iterator[str]:
        """Yield the lines that came since the last time; of a flood, a part."""
        for _ in range(_MOST_PIECES):
            if not self._is_open:
                return
            try:
                piece = os.read(self._output.fileno(), _PIECE_BYTES)
            except BlockingIOError:
                return
            if not piece:
                self._is_open = False
                self._output.close()
            *whole, self._rest = (self._rest + piece).split(b"\n")
            if self._rest and (not piece or len(self._rest) > _LONGEST_LINE_BYTES):
                whole, self._rest = [*whole, self._rest], b""
            for line in whole:
                yield _plain(line)

    def exit_code(self) -> int | None:
        """Return the exit code (below 0: the signal that ended it); None while it works."""
        return self._process.poll()

    def last_lines(self) -> Iterator[str]:
        """Yield what it said before it ended; grandchildren may still hold the pipe open."""
        yield from self.lines()
        if self._rest:
            yield _plain(self._rest)
        if self._is_open:
            self._is_open = False
            self._output.close()

    def stop(self, patience_s: float) -> Iterator[str]:
        """Ask it to stop, kill its group when patience ends; yield what it says meanwhile."""
        self._process.terminate()
        ends_s = time.monotonic() + patience_s
        while self._process.poll() is None and (left_s := ends_s - time.monotonic()) > 0:
            watched = [self._output.fileno()] if self._is_open else []
            select.select(watched, [], [], min(left_s, 0.1))
            yield from self.lines()
        if self._process.poll() is None:
            self.kill()
        yield from self.last_lines()

    def kill(self) -> None:
        """End it and its whole group at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_WAIT_S)


def _plain(line: bytes) -> str:
    text = line.decode(errors="replace").rstrip()
    return "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in text)
