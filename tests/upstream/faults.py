"""Faults by script: what goes wrong, at which calls, how often (the kinds are in *_faults.py)."""

import dataclasses
import random
import re
from collections.abc import Collection

from tests.upstream.calls import Answer, Call, head
from tests.upstream.wire import Wire


class Fault:
    """Something that goes wrong with one call; each kind overrides the moment that it spoils."""

    processed = True  # False: the simulator never gets to see the call

    @property
    def name(self) -> str:
        """Return the kind, as the call log names it."""
        return type(self).__name__

    def spoil_call(self, call: Call) -> None:
        """Change what is asked, before it is answered."""

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:  # noqa: ARG002
        """Return what is answered instead."""
        return answer

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:  # noqa: ARG002
        """Send the answer in a spoilt way; return False to leave it to the next fault."""
        return False


def send_well(wire: Wire, answer: Answer, call: Call) -> None:
    """Send the answer as it should be."""
    body = b"" if answer.status in (204, 304) else answer.body()
    length_bytes = None if answer.status == 204 else len(body)
    start = head(answer, call.moment, length_bytes)
    wire.write(start if call.method == "HEAD" else start + body)


@dataclasses.dataclass
class Rule:
    """When a fault happens; every condition that is given must hold."""

    fault: Fault
    at: range | None = None  # numbers of calls
    path: re.Pattern[str] | None = None  # searched in the path
    ids: frozenset[int] = frozenset()  # a number that is a whole part of the path
    p: float = 1.0
    times: int | None = None  # at most so often

    def fits(self, call: Call) -> bool:
        """Say whether the conditions hold, chance and count aside."""
        if self.times == 0 or (self.at is not None and call.number not in self.at):
            return False
        if self.path is not None and not self.path.search(call.path):
            return False
        parts = {int(part) for part in call.path.split("/") if part.isdecimal()}
        return not self.ids or bool(self.ids & parts)


class Script:
    """The rules, in the order in which they were added."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Rule] = []
        self.dice = random.Random(seed)  # noqa: S311 repeatable on purpose

    def add(
        self,
        fault: Fault,
        *,
        at: int | range | None = None,
        path: str | None = None,
        ids: Collection[int] = (),
        p: float = 1.0,
        times: int | None = None,
    ) -> Rule:
        """Plan a fault: `at` a call's number, for a `path` (regex) or `ids`, by chance, `times`."""
        rule = Rule(
            fault=fault,
            at=range(at, at + 1) if isinstance(at, int) else at,
            path=None if path is None else re.compile(path),
            ids=frozenset(ids),
            p=p,
            times=times,
        )
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget every rule: from now on all is well."""
        self.rules.clear()

    def due(self, call: Call) -> list[Fault]:
        """Return the faults that this call meets, and count them as played."""
        due = []
        for rule in self.rules:
            if rule.fits(call) and (rule.p >= 1 or self.dice.random() < rule.p):
                due.append(rule.fault)
                if rule.times is not None:
                    rule.times -= 1
        return due
