"""Several calls to a service on their way at once, where each waits long for little.

Threads only wait for the network. All that is remembered (budget, count of calls, log of a wait)
happens in the thread that asks for the answers, because the state database belongs to it.
"""

import copy
import dataclasses
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from tracklake.client import Answer, Ask, Client
from tracklake.errors import Error, Interrupted, InvalidData, SourceError, Transient
from tracklake.upstream.calls import Calls

_TRIES = 3  # of one item in one run

Item = TypeVar("Item")
Outcome = Answer | InvalidData | Transient


class Wish(NamedTuple, Generic[Item]):
    """What to get, and for what. accept: the kind of body, where it is no JSON."""

    item: Item
    path: str
    accept: str = ""
    most_bytes: int = 16 << 20


class _Message(NamedTuple):
    """From a thread: something to do here, or (work: None) what came of its call."""

    slot: Calls
    future: "Future[Any]"
    work: Callable[[], Any] | None = None


@dataclass(slots=True)
class _Desk:
    """Where threads have things done by the one that asks; closed, nothing is done any more."""

    messages: "queue.SimpleQueue[_Message]" = field(default_factory=queue.SimpleQueue)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_closed: bool = False

    def have_done(self, slot: Calls, work: Callable[[], Any]) -> Any:  # noqa: ANN401 whatever it is
        """Wait until it was done; return what it returned, or raise what it raised."""
        future: Future[Any] = Future()
        with self.lock:
            if self.is_closed:
                raise SourceError("nobody waits for the answer any more")
            self.messages.put(_Message(slot, future, work))
        return future.result()

    def close(self) -> None:
        """Let threads that wait go."""
        with self.lock:
            self.is_closed = True
        while not self.messages.empty():
            left = self.messages.get()
            if left.work is not None:
                left.future.set_exception(SourceError("nobody waits for the answer any more"))


@dataclass(slots=True)
class _Relay:
    """A client for a thread: it sends from there and counts here."""

    client: Client
    desk: _Desk
    slot: Calls | None = None

    def send(
        self,
        ask: Ask,
        *,
        admit: Callable[[], None] | None = None,
        heed: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Send as Client.send does."""
        assert self.slot is not None  # noqa: S101 _slot set it
        assert admit is not None  # noqa: S101 Calls always passes both
        assert heed is not None  # noqa: S101
        desk, slot, taken = self.desk, self.slot, heed
        return self.client.send(
            ask,
            admit=lambda: desk.have_done(slot, admit),
            heed=lambda answer: desk.have_done(slot, lambda: taken(answer)),
        )


def answers(
    calls: Calls, wishes: Iterable[Wish[Item]], at_once: int
) -> Iterator[tuple[Item, Outcome]]:
    """Yield each answer as it comes, or why there is none; in any order.

    What concerns all of them (BudgetSpent, AuthError, another SourceError) is raised when those
    that were on their way have been yielded.
    """
    desk, waiting = _Desk(), iter(wishes)
    # A service that is left alone gets one call; what comes of it, decides on the others.
    free = [_slot(calls, desk) for _ in range(1 if calls.breaker.is_open() else at_once)]
    more = at_once - len(free)
    on_their_way: dict[int, Wish[Item]] = {}
    problem: Error | None = None
    try:
        while True:
            while free and problem is None and (wish := next(waiting, None)) is not None:
                slot = free.pop()
                on_their_way[id(slot)] = wish
                threading.Thread(target=_get, args=(desk, slot, wish), daemon=True).start()
            if not on_their_way:
                break
            message = desk.messages.get()
            if message.work is not None:
                _do(calls, message)
                continue
            free.append(message.slot)
            if more:
                free, more = [*free, *(_slot(calls, desk) for _ in range(more))], 0
            item, outcome = on_their_way.pop(id(message.slot)).item, _outcome(message.future)
            if isinstance(outcome, Answer | InvalidData | Transient):
                yield item, outcome
            else:
                problem = problem or outcome
    finally:
        desk.close()
    _raise_if_any(problem)


def _raise_if_any(problem: Error | None) -> None:
    if problem is not None:
        raise problem


def _slot(calls: Calls, desk: _Desk) -> Calls:
    """Return a connection for one thread: its own idea of when it sent, and all the rest shared."""
    relay = _Relay(calls.client, desk)
    slot = dataclasses.replace(calls, client=relay, budget=copy.copy(calls.budget))  # type: ignore[arg-type] # it sends alike
    slot.here = lambda work: desk.have_done(slot, work)
    relay.slot = slot
    return slot


def _get(desk: _Desk, slot: Calls, wish: Wish[Item]) -> None:
    future: Future[Answer] = Future()
    headers = {"Accept": wish.accept} if wish.accept else None
    try:
        answer = slot.get(wish.path, headers=headers, most_bytes=wish.most_bytes, tries=_TRIES)
        future.set_result(answer)
    except BaseException as error:  # noqa: BLE001 whatever it is, who asked is told
        future.set_exception(error)
    desk.messages.put(_Message(slot, future))


def _do(calls: Calls, message: _Message) -> None:
    """Do something for a thread, on the count that all share."""
    slot = message.slot
    slot.calls, slot.not_before = calls.calls, calls.not_before
    try:
        assert message.work is not None  # noqa: S101 only such are done
        done = message.work()
    except Interrupted:
        message.future.set_exception(SourceError("interrupted"))
        raise
    except Error as error:
        message.future.set_exception(error)
    except BaseException:  # a defect of ours: it is raised here, and the thread ends too
        message.future.set_exception(SourceError("interrupted"))
        raise
    else:
        message.future.set_result(done)
    finally:
        calls.calls, calls.not_before = slot.calls, slot.not_before


def _outcome(future: "Future[Answer]") -> Answer | Error:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Error):
        return error
    raise error
