"""At the other services, too, anything may happen between any two calls of a pull."""

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources import garmin_place, intervals_place, smashrun_place
from tests.sources.contract import SourcePlace
from tests.sources.garmin_place import GarminPlace
from tests.sources.intervals_place import IntervalsPlace
from tests.sources.smashrun_place import SmashrunPlace
from tests.upstream.calls import Call
from tracklake.errors import SourceError

EXAMPLES = max(40, int(os.environ.get("RACES_EXAMPLES", "40")) // 20)  # noqa: TID251 of tests only
CHANGE = st.tuples(
    st.integers(1, 6),
    st.sampled_from(("upload", "late", "twin", "delete", "edit", "edit")),
    st.integers(0, 199),
)
PULLS = st.lists(st.lists(CHANGE, max_size=5), min_size=1, max_size=3)


def on_garmin(place: SourcePlace, start: dt.datetime, name: str) -> str:
    """Let an activity without a file appear: only the list counts here."""
    assert isinstance(place, GarminPlace)
    return str(place.upstream.enter_by_hand(start, activityName=name))


def on_intervals(place: SourcePlace, start: dt.datetime, name: str) -> str:
    """Let an activity without a file appear."""
    assert isinstance(place, IntervalsPlace)
    return place.upstream.enter(start, name=name)


def on_smashrun(place: SourcePlace, start: dt.datetime, name: str) -> str:
    """Let a run without details appear."""
    assert isinstance(place, SmashrunPlace)
    return place.upload(start, name, hasDetails=0)


class Account:
    """What is true at a service: names by id."""

    def __init__(
        self, place: SourcePlace, appear: Callable[[SourcePlace, dt.datetime, str], str]
    ) -> None:
        self.place = place
        self.appear = appear
        self.names: dict[str, str] = {}
        self.starts: dict[str, dt.datetime] = {}
        self.amid = 0  # changes that fell between two calls

    def upload(self, days: float, start: dt.datetime | None = None) -> None:
        """Let one appear that began so many days ago."""
        began = start or self.place.clock.now() - dt.timedelta(days=days, hours=1)
        began = began.replace(microsecond=0)
        name = f"One of {len(self.names)}"
        one = self.appear(self.place, began, name)
        self.names[one], self.starts[one] = name, began

    def change(self, kind: str, number: int) -> None:
        """Let something happen that `number` chooses."""
        there = sorted(self.names)
        chosen = there[number % len(there)] if there else None
        if kind in ("upload", "late") or chosen is None:
            self.upload(number / 2 if kind == "late" else 0.0)
        elif kind == "twin":
            self.upload(0.0, self.starts[chosen])
        elif kind == "edit":
            self.names[chosen] = f"Name {number % 5}"
            self.place.edit(chosen, self.names[chosen])
        else:
            del self.names[chosen]
            self.place.delete(chosen)

    def pull(self, due: list[tuple[int, str, int]]) -> None:
        """Pull, while things happen just before calls are answered."""
        first = len(self.place.upstream.calls)

        def look(call: Call) -> None:
            for number, kind, chosen in due:
                if call.number == first + number:
                    self.amid += number > 1
                    self.change(kind, chosen)

        self.place.upstream.before = look
        with contextlib.suppress(SourceError):
            self.place.pull()
        self.place.upstream.before = None

    def settle(self) -> None:
        """Read everything undisturbed, again after an hour where many are missing."""
        for _ in range(4):
            self.place.advance(hours=1.1)
            self.place.pull_all(everything=True)
            if not self.place.pull(everything=True).doubted:
                return


@pytest.mark.parametrize(
    ("opened", "appear"),
    [
        (garmin_place.opened, on_garmin),
        (intervals_place.opened, on_intervals),
        (smashrun_place.opened, on_smashrun),
    ],
    ids=["garmin", "intervals", "smashrun"],
)
def test_random_races_at_other_services(
    opened: Callable[[Path], contextlib.AbstractContextManager[SourcePlace]],
    appear: Callable[[SourcePlace, dt.datetime, str], str],
) -> None:
    """Uploads, late ones, edits and deletions between calls: after a quiet pull all is as shown."""
    amid = 0

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(count=st.integers(0, 30), pulls=PULLS)
    def history(count: int, pulls: list[list[tuple[int, str, int]]]) -> None:
        nonlocal amid
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as place:
            account = Account(place, appear)
            for number in range(count):
                account.upload(3.0 * number)
            for due in pulls:
                account.pull(due)
                place.advance(hours=30)
            amid += account.amid
            account.settle()
            names = {one: row[place.name_column] for one, row in place.rows().items()}
            assert names == account.names

    history()
    assert amid > EXAMPLES // 4, "too little happened between calls: this run proves little"
