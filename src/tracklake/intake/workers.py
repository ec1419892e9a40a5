"""Worker processes that may run out of memory, run too long or die, without taking the run along.

Whatever reads bytes from outside runs here. A worker gets a ceiling of memory for its life, and of
processor time for each task; the parent adds a ceiling of time on the wall.
"""

import contextlib
import ctypes
import multiprocessing
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import pebble
import pyarrow as pa

from tracklake.errors import InvalidData, StorageError

Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may use; processor time and wall time grow with the bytes it is given.

    memory_bytes: on top of what a worker holds when it is born. The slowest real files, long GPX
    tracks, take 0.3 s of processor time a MB.
    """

    memory_bytes: int = 1536 << 20
    cpu_s: float = 20.0
    cpu_s_per_mb: float = 3.0
    wall_s: float = 30.0

    def task_cpu_s(self, size_bytes: int) -> float:
        """Return the seconds of processor time for so many bytes."""
        return self.cpu_s + self.cpu_s_per_mb * size_bytes / 1e6

    def task_wall_s(self, size_bytes: int) -> float:
        """Return the seconds on the wall: more, because other programs run too."""
        return self.wall_s + 4 * self.task_cpu_s(size_bytes)


@dataclass(frozen=True, slots=True)
class Task(Generic[Result]):
    """A function of this package with its arguments, and the bytes it will read."""

    run: Callable[..., Result]
    arguments: tuple[object, ...]
    size_bytes: int


def _prepare(limits: Limits) -> None:
    """Set a new worker up: quiet on Ctrl-C (the parent decides), one thread, bounded memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # also in the middle of a long C call
    _die_with_parent()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    held = _data_bytes() + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (held, held))


def _die_with_parent() -> None:
    """Have the kernel end this worker when the run is killed, where the kernel can (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _data_bytes() -> int:
    """Return this process's private writable memory, which is what RLIMIT_DATA counts."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmData"].split()[0]) << 10


def _run(task: Task[Result], cpu_s: float) -> Result:
    """Run a task in a worker: the kernel ends the worker when the processor time is used up."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    ceiling = int(usage.ru_utime + usage.ru_stime + cpu_s) + 1
    unlimited = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_CPU, (ceiling, unlimited))
    try:
        return task.run(*task.arguments)
    except MemoryError:
        pass
    finally:  # a worker that died while it fetches a task would keep the others from fetching
        resource.setrlimit(resource.RLIMIT_CPU, (unlimited, unlimited))
    # A new one, without the trace that would hold all that memory during the next task.
    raise MemoryError


class Workers:
    """A pool of limited processes: started with the first task, gone at the end in any case."""

    def __init__(self, count: int, limits: Limits) -> None:
        self._count = count
        self._limits = limits
        self._pool: pebble.ProcessPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call] # pebble annotates only part of itself
            pool.join()

    def start_at_most(self, count: int) -> None:
        """Start no more workers than there is work for: each costs half a second to start."""
        self._count = max(1, min(self._count, count))

    def submit(self, task: Task[Result]) -> "Future[Result]":
        """Hand a task to the next free worker."""
        if self._pool is None:
            self._pool = pebble.ProcessPool(
                max_workers=self._count,
                initializer=_prepare,
                initargs=(self._limits,),
                context=multiprocessing.get_context("spawn"),
            )
        cpu_s = self._limits.task_cpu_s(task.size_bytes)
        wall_s = self._limits.task_wall_s(task.size_bytes)
        future: Future[Result] = self._pool.schedule(_run, args=(task, cpu_s), timeout=wall_s)
        return future

    def done(self, task: Task[Result]) -> "Future[Result]":
        """Run one task and wait; the future holds its result or its error."""
        return self._settled(task, self.submit(task))

    def _settled(self, task: Task[Result], future: "Future[Result]") -> "Future[Result]":
        error = future.exception()
        if not isinstance(error, BrokenProcessPool) and not _was_killed(error):
            return future
        if self._pool is not None and not self._pool.active:  # a worker died between tasks
            self._stop()
        again = self.submit(task)
        again.exception()
        return again

    def all_done(
        self, tasks: Iterable[Task[Result]]
    ) -> "Iterator[tuple[Task[Result], Future[Result]]]":
        """Run tasks side by side; yield each when it is done, in the order given."""
        waiting: deque[tuple[Task[Result], Future[Result]]] = deque()
        for task in tasks:
            waiting.append((task, self.submit(task)))
            if len(waiting) > 2 * self._count:
                first, future = waiting.popleft()
                yield first, self._settled(first, future)
        while waiting:
            first, future = waiting.popleft()
            yield first, self._settled(first, future)


def _was_killed(error: BaseException | None) -> bool:
    """Tell whether somebody else ended the worker, as a machine short of memory does.

    A worker's own ceilings end it by other signals, so this is not the file's doing.
    """
    return isinstance(error, pebble.ProcessExpired) and error.exitcode == -signal.SIGKILL


def verdict(error: BaseException) -> InvalidData:
    """Say of a task's error what it means for the file that caused it.

    A failing disk means nothing for a file: StorageError is raised again and stops the run.
    """
    if isinstance(error, StorageError):
        raise error
    if isinstance(error, InvalidData):
        return error
    if isinstance(error, TimeoutError):
        return InvalidData("decoding it took too long", reason="timeout")
    if isinstance(error, MemoryError):
        return InvalidData("decoding it needs too much memory", reason="memory")
    if isinstance(error, pebble.ProcessExpired):
        if error.exitcode == -signal.SIGXCPU:
            return InvalidData("decoding it takes too much processor time", reason="timeout")
        message = f"the worker that decoded it died (exit code {error.exitcode})"
        return InvalidData(message, reason="decoder_killed")
    message = f"decoding it failed: {type(error).__name__}: {error}"
    return InvalidData(message, reason="decoder_error")
