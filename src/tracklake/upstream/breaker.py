"""A breaker for each service: one that fails is not asked for a while, by any phase or process.

What is known of it lies in the state database (`breakers`). circuit.py has the rules.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import orjson

from tracklake import quarantine
from tracklake.client import Answer, Ask
from tracklake.client.answers import is_page
from tracklake.errors import Error, InvalidData, SourceError, Transient
from tracklake.identity import bytes_hash
from tracklake.session import SyncSession
from tracklake.state import State
from tracklake.upstream import circuit
from tracklake.upstream.circuit import Circuit

Found = TypeVar("Found")
_COLUMNS = "state, failures, urls, pages, since, retry_at, pause_s, error"
_TOO_MANY_REQUESTS = 429


def _here(work: Callable[[], Found]) -> Found:
    return work()


@dataclass(slots=True)
class Breaker:
    """The breaker of one service. title: what a person calls it."""

    session: SyncSession
    source: str
    title: str

    def send(
        self,
        ask: Ask,
        send: Callable[[Ask], Answer],
        here: Callable[[Callable[[], Any]], Any] = _here,
    ) -> Answer:
        """Make a call, if the breaker allows it, and take note of what came of it.

        A trial is one try. here: does what needs the state database, where `send` is called in
        another thread than the one that opened it. Raises SourceError while it is open, and what
        `send` raises.
        """
        is_trial = here(self._begin)
        event: circuit.Event = circuit.GivenBack()
        try:
            answer = send(replace(ask, tries=1) if is_trial else ask)
            event = meaning(ask, answer)
        except Transient as error:
            event = circuit.Failed(_mark(ask), str(error), error.is_page)
            raise
        except InvalidData:  # an answer, if too large a one
            event = circuit.Answered()
            raise
        finally:
            here(lambda: self._note(event))
        return answer

    def is_open(self) -> bool:
        """Tell whether the service is left alone now."""
        return self._read().position != "closed"

    def has_failed_its_trial(self) -> bool:
        """Tell whether the service, once left alone, did not work when it was tried again."""
        found = self._read()
        return found.position != "closed" and found.pause_s > circuit.FIRST_PAUSE_S

    def problem(self) -> SourceError:
        """Return what to raise while it is open."""
        found = self._read()
        return SourceError(f"{self.title} fails: {_said(found)}")

    def _begin(self) -> bool:
        """Tell whether the call that begins is a trial; raise SourceError if none may be made."""
        found, now = self._read(), self.session.clock.now()
        if found.position == "closed":
            return False
        with self.session.state.transaction():  # of two processes one makes the trial
            found = self._read()
            if not circuit.admits(found, now):
                raise SourceError(f"{self.title} fails: {_said(found)}")
            self._save(circuit.after(found, circuit.Asked(), now))
        return found.position != "closed"

    def _note(self, event: circuit.Event) -> None:
        known = self._read()
        if circuit.after(known, event, self.session.clock.now()) == known:
            return
        with self.session.state.transaction():
            known = self._read()
            found = circuit.after(known, event, self.session.clock.now())
            self._save(found)
        if found.position == "open" and isinstance(event, circuit.Failed):
            self.session.log.warning(
                "breaker_opened", source=self.source, failures=found.failures, error=found.error,
                retry_at=_text(found.retry_at),
            )  # fmt: skip
        elif known.position != "closed" and found.position == "closed":
            self.session.log.info("breaker_closed", source=self.source)

    def _read(self) -> Circuit:
        return _circuit(self.session.state, self.source)

    def _save(self, found: Circuit) -> None:
        self.session.state.execute(
            f"insert or replace into breakers (source, session_id, {_COLUMNS}) "  # noqa: S608 our own names
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self.source, self.session.session_id, found.position, found.failures),
                *(orjson.dumps(found.urls).decode(), orjson.dumps(found.pages).decode()),
                *(_text(found.since), _text(found.retry_at), found.pause_s, found.error or None),
            ),
        )


def meaning(ask: Ask, answer: Answer) -> circuit.Event:
    """Return what an answer says of the service: nothing, if it only is too busy for us."""
    if answer.status == _TOO_MANY_REQUESTS:
        return circuit.GivenBack()
    if answer.status == 200 and not ask.expects_json and is_page(answer.body):
        return circuit.Failed(_mark(ask), "it answered 200 with a page for people", is_page=True)
    return circuit.Answered()


def _mark(ask: Ask) -> str:
    """Return a mark of what was asked for; an address may hold a place where somebody lives."""
    asked = orjson.dumps([ask.method, ask.url, dict(ask.params)], option=orjson.OPT_SORT_KEYS)
    return bytes_hash(asked)[:12]


def _circuit(state: State, source: str) -> Circuit:
    rows = state.execute(f"select {_COLUMNS} from breakers where source = ?", (source,))  # noqa: S608 our own names
    return _from_row(rows[0]) if rows else Circuit()


def _from_row(row: tuple[object, ...]) -> Circuit:
    position, failures, urls, pages, since, retry_at, pause_s, error = row
    return Circuit(
        position=cast("circuit.Position", position),
        failures=int(str(failures)),
        urls=tuple(orjson.loads(str(urls))),
        pages=tuple(orjson.loads(str(pages))),
        since=_moment(since),
        retry_at=_moment(retry_at),
        pause_s=float(str(pause_s)),
        error=str(error or ""),
    )


def _text(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat() if moment else None


def _moment(text: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(str(text)) if text else None


def _said(found: Circuit) -> str:
    since, until = found.since, found.retry_at
    row = f"{found.failures} times in a row since {since:%Y-%m-%d %H:%M} UTC" if since else "always"
    again = f"next try after {until:%H:%M:%S} UTC" if until else "next try now"
    return f"{row}, last: {found.error}; {again}"


def not_closed(state: State) -> list[dict[str, object]]:
    """Return the services that are left alone, for `status` and the doctor."""
    rows = state.execute(
        f"select source, {_COLUMNS} from breakers where state <> 'closed' order by source"  # noqa: S608 our own names
    )
    found = [(str(source), _from_row(tuple(rest))) for source, *rest in rows]
    return [
        {
            "source": source,
            "state": one.position,
            "failures": one.failures,
            "since": _text(one.since),
            "next_try_at": _text(one.retry_at),
            "error": one.error,
            "said": _said(one),
        }
        for source, one in found
    ]


@dataclass(slots=True)
class Failures:
    """Items that failed one after the other: by their own fault, or by the service's."""

    breaker: Breaker
    _row: list[str] = field(default_factory=list)

    def add(self, item: quarantine.Item, error: Error) -> None:
        """Set an item aside; raise SourceError if it turns out to be the service that fails.

        Then what failed with it the first time is due at once. After a second time it waits as
        usual: some that never come must not bar the way to all others. A trial counts for nothing.
        """
        session = self.breaker.session
        if self.breaker.has_failed_its_trial() and quarantine.seen(session, item.item_id):
            raise self.breaker.problem() from error
        quarantine.set_aside(session, item)
        if self.breaker.is_open():
            quarantine.forgive(session, [*self._row, item.item_id])
            raise self.breaker.problem() from error
        self._row.append(item.item_id)

    def forgive(self) -> None:
        """Have what failed since something came tried by the next run, the first time: nothing
        says that it was its own fault.
        """
        quarantine.forgive(self.breaker.session, self._row)
        self._row.clear()

    def clear(self) -> int:
        """Note that something came: what failed before it failed by itself. Tell how many did."""
        count = len(self._row)
        self._row.clear()
        return count
