"""Listings that do not page as they should: FAULTS C4, C5, C10."""

# ruff: noqa: ARG002 - not every fault needs all that it is given

import dataclasses
import random

from tests.upstream.calls import Answer, Call
from tests.upstream.faults import Fault

LISTING = "/athlete/activities"


def _rows(answer: Answer, call: Call) -> list[dict[str, object]] | None:
    listed = call.path.endswith(LISTING) and isinstance(answer.payload, list)
    return list(answer.payload) if listed and isinstance(answer.payload, list) else None


@dataclasses.dataclass
class SamePage(Fault):
    """Page 1 for ever, whatever page, `before` or `after` is asked for."""

    def spoil_call(self, call: Call) -> None:
        if call.path.endswith(LISTING):
            for name in ("page", "before", "after"):
                call.query.pop(name, None)


@dataclasses.dataclass
class WrapAfter(Fault):
    """Page 1 again instead of an empty page after the last one."""

    page: int

    def spoil_call(self, call: Call) -> None:
        if call.path.endswith(LISTING) and int(call.query.get("page", 1)) > self.page:
            call.query["page"] = "1"


@dataclasses.dataclass
class HideRows(Fault):
    """Leave out so many rows of each page, by chance: a short page that is not the last."""

    count: int = 1

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        rows = _rows(answer, call)
        if rows is None:
            return answer
        hidden = set(dice.sample(range(len(rows)), min(self.count, len(rows))))
        kept = [row for index, row in enumerate(rows) if index not in hidden]
        return dataclasses.replace(answer, payload=kept)


@dataclasses.dataclass
class EmptyListing(Fault):
    """No activities, with 200."""

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        rows = _rows(answer, call)
        return answer if rows is None else dataclasses.replace(answer, payload=[])


@dataclasses.dataclass
class HalfListing(Fault):
    """Every other activity is missing, the same ones on each page and at each call."""

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        rows = _rows(answer, call)
        if rows is None:
            return answer
        return dataclasses.replace(answer, payload=[row for row in rows if self.shows(row["id"])])

    @staticmethod
    def shows(activity_id: object) -> bool:
        """Say whether an activity is in the half that is left."""
        return isinstance(activity_id, int) and activity_id % 2 == 0
