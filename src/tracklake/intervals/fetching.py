"""What intervals.icu has of one activity each: its original file, its intervals; some at once."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tracklake import quarantine
from tracklake.client import Answer
from tracklake.errors import InvalidData, Transient
from tracklake.intervals.landings import item_id
from tracklake.intervals.records import SOURCE, TITLE
from tracklake.session import SyncSession
from tracklake.upstream import abreast
from tracklake.upstream.abreast import Wish
from tracklake.upstream.breaker import Failures
from tracklake.upstream.calls import Calls
from tracklake.upstream_index import UpstreamIndex, Wanted

_AT_ONCE = 3
_MOST_BYTES = 64 << 20
_NO_FILE = re.compile(rb"(\xef\xbb\xbf)?\s*(<!doctype\s+html|<html|[{\[])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing.

    take: lands an answer, in this thread; False where it cannot be read, and is set aside with what
    came. InvalidData sets it aside without: it is to be asked for again.
    """

    entity: str
    hash_column: str
    path: str
    word: str
    take: Callable[[Wanted, Answer], bool]
    accept: str = ""


@dataclass(slots=True)
class Fetching:
    """Gets what is missing, newest first. refused: how many were set aside."""

    session: SyncSession
    calls: Calls
    index: UpstreamIndex
    refused: int = 0

    def get(self, kind: Kind, prove: Callable[[], None]) -> None:
        """Get all that is missing of a kind; one that fails does not stop the others.

        prove: makes sure that the key is right, or raises AuthError; asked when one thing is
        forbidden. Raises what concerns all of them: AuthError, BudgetSpent, SourceError.
        """
        failures = Failures(self.calls.breaker)
        for wanted, outcome in self._answers(kind):
            self.calls.phase.advance()
            if isinstance(outcome, Answer) and outcome.status == 403:
                prove()
            try:
                self._take(kind, wanted, outcome)
                failures.clear()
            except (InvalidData, Transient) as error:
                self.refused += 1
                failures.add(_failed(kind, wanted, error), error)

    def missing(self, kind: Kind) -> list[Wanted]:
        """List what is to be fetched now; those that failed before come last, to bar nobody."""
        aside = quarantine.resting(self.session, SOURCE)
        suspicion = quarantine.suspicion(self.session, SOURCE)
        wanted = self.index.wanted(kind.entity, kind.hash_column)
        due = [one for one in wanted if _item_id(kind, one) not in aside]
        return sorted(due, key=lambda one: suspicion(_item_id(kind, one)))

    def _answers(self, kind: Kind) -> Iterator[tuple[Wanted, abreast.Outcome]]:
        missing = self.missing(kind)
        self.calls.phase.expect(self.calls.phase.processed + len(missing))
        wishes = [
            Wish(one, f"activity/{one.source_id}/{kind.path}", kind.accept, _MOST_BYTES)
            for one in missing
        ]
        return abreast.answers(self.calls, wishes, _AT_ONCE)

    def _take(self, kind: Kind, wanted: Wanted, outcome: abreast.Outcome) -> None:
        if not isinstance(outcome, Answer):
            raise outcome
        if kind.take(wanted, outcome):
            quarantine.release(self.session.state, _item_id(kind, wanted), self.session.athlete)
        else:
            self.refused += 1


def _failed(kind: Kind, wanted: Wanted, error: InvalidData | Transient) -> quarantine.Item:
    return quarantine.Item(
        item_id=_item_id(kind, wanted),
        source=SOURCE,
        item=f"{kind.word} of {TITLE}'s activity {wanted.source_id}",
        reason=error.reason if isinstance(error, InvalidData) else "no_answer",
        message=str(error),
        subject=wanted.source_id,
    )


def expect_file(body: bytes) -> None:
    """Raise InvalidData for a page for people, or JSON, where a file was due.

    That is no word on the file: a proxy, or a maintenance, answers so with 200.
    """
    if _NO_FILE.match(body):
        raise InvalidData("it came as a page, not as a file", reason="no_file")


def _item_id(kind: Kind, wanted: Wanted) -> str:
    return item_id(kind.entity, wanted.source_id)
