"""The athlete's account as a test edits it: uploads, edits, deletions, privacy, kudos."""

import contextlib
import datetime as dt
import random
import threading
from collections.abc import Iterator
from typing import Any

from tests.upstream import activities, details
from tests.upstream.activities import Item, Payload
from tests.upstream.clock import SettableClock

FIRST_ID = 14_000_000_000
ID_STEP = 7_919
SPORTS = ("Run", "Run", "Run", "Ride", "Ride", "TrailRun", "Swim", "Hike")


class Account:
    """Activities by id; each gets a higher id than those uploaded before it."""

    def __init__(
        self,
        clock: SettableClock,
        *,
        seed: int = 0,
        points: int = 300,
        lock: "threading.RLock | None" = None,
    ) -> None:
        self.items: dict[int, Item] = {}
        self.clock = clock
        self.lock = lock or threading.RLock()  # held by the service while it answers
        self.points = points
        self.version = 0  # goes up with each change
        self._seed = seed
        self._next_id = FIRST_ID

    def upload(
        self,
        start: dt.datetime | None = None,
        *,
        sport_type: str | None = None,
        points: int | None = None,
        gps: bool = True,
        manual: bool = False,
        private: bool = False,
        ghost: bool = False,
        kudos: int = 0,
        id: int | None = None,  # noqa: A002 the service's word
        **fields: Any,
    ) -> int:
        """Add an activity that starts at `start` (else: ends now) and return its id.

        `fields` are in the names and units of the service, and are shown as they are.
        """
        new_id = id if id is not None else self._new_id()
        dice = random.Random(self._seed * 1_000_003 + new_id)  # noqa: S311 repeatable on purpose
        item = Item(
            id=new_id,
            start=start or self.clock.now(),
            sport_type=sport_type or dice.choice(SPORTS),
            points=self.points if points is None else points,
            fields=fields,
            gps=gps,
            manual=manual,
            private=private,
            ghost=ghost,
            kudos=kudos,
            seed=dice.randrange(1 << 30),
        )
        item.start = item.start.astimezone(dt.UTC).replace(microsecond=0)
        activities.planned(item)
        if start is None:
            item.start -= dt.timedelta(seconds=item.course().elapsed_s)
        with self._change():
            self.items[new_id] = item
        return new_id

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        with self.lock:
            yield
            self.version += 1

    def _new_id(self) -> int:
        with self.lock:
            self._next_id += ID_STEP
            return self._next_id

    def late_upload(self, days: float = 10.0, **fields: Any) -> int:
        """Add an activity that started `days` ago and is uploaded only now."""
        return self.upload(self.clock.now() - dt.timedelta(days=days), **fields)

    def fill(self, count: int, *, every_days: float = 1.0, **fields: Any) -> list[int]:
        """Add `count` activities up to now, the oldest first, and return their ids.

        Every 17th is manual and every 13th has no GPS, unless `fields` say otherwise.
        """
        now = self.clock.now()
        ids = []
        for index in range(count):
            start = now - dt.timedelta(days=every_days * (count - index), minutes=index % 97)
            parts = {"manual": index % 17 == 16, "gps": index % 13 != 12, "kudos": index % 6}
            ids.append(self.upload(start, **(parts | fields)))
        return ids

    def edit(self, activity_id: int, **fields: Any) -> None:
        """Change fields; `start` (aware) moves it; distance and times change what follows."""
        item = self._item(activity_id)
        with self._change():
            for name in ("start", "sport_type", "points", "gps", "manual", "kudos"):
                if name in fields:
                    setattr(item, name, fields.pop(name))
            item.fields |= fields

    def delete(self, activity_id: int) -> None:
        """Delete it: absent from listings, 404 by id."""
        with self._change():
            self._item(activity_id).deleted = True

    def reupload(self, activity_id: int) -> int:
        """Delete it and upload the same recording anew, under another id; return that id."""
        item = self._item(activity_id)
        self.delete(activity_id)
        new_id = self.upload(item.start, sport_type=item.sport_type, **item.fields)
        self.items[new_id].seed = item.seed
        return new_id

    def privatise(self, activity_id: int) -> None:
        """Show it only to tokens with activity:read_all."""
        with self._change():
            self._item(activity_id).private = True

    def publicise(self, activity_id: int) -> None:
        """Show it to everyone."""
        with self._change():
            self._item(activity_id).private = False

    def kudos(self, activity_id: int, more: int = 1) -> None:
        """Let so many people more give kudos."""
        with self._change():
            self._item(activity_id).kudos += more

    def add_ghosts(self, count: int, *, every_days: float = 1.0) -> list[int]:
        """Add rows that the server filters out after it has cut the page: short pages."""
        return self.fill(count, every_days=every_days, ghost=True)

    def _item(self, activity_id: int) -> Item:
        item = self.items[activity_id]
        if item.deleted:
            raise KeyError(activity_id)
        return item

    def visible_set(self, *, read_all: bool = True) -> set[int]:
        """Return the ids that a correct client ends with."""
        with self.lock:
            return {item.id for item in self.items.values() if item.visible(read_all=read_all)}

    def truth(self, activity_id: int) -> Payload:
        """Return the summary that the service shows now."""
        return activities.summary(self._item(activity_id))

    def detail(self, activity_id: int, *, all_efforts: bool = False) -> Payload:
        """Return the detail that the service shows now."""
        return details.detail(self._item(activity_id), all_efforts=all_efforts)

    def streams(self, activity_id: int) -> dict[str, Payload] | None:
        """Return all streams by type; None where the service answers 404."""
        return details.streams(self._item(activity_id))
