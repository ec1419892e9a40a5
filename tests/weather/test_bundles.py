"""Days of weather put together for few and cheap calls."""

import datetime as dt
import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from tracklake.weather.bundles import CellDay, bundles, columns, cost

FIRST = dt.date(2026, 1, 1)


def home(service: str, *days: int) -> list[CellDay]:
    """Return days at home."""
    return [CellDay(service, 41.4, 2.2, FIRST + dt.timedelta(days=n)) for n in days]


def test_a_week_of_runs_at_home_is_one_call_that_counts_as_one() -> None:
    """Seven days of one cell: a span, a call, a weight of 1."""
    [one] = bundles(home("archive", *range(7)))
    assert (len(one.spans), one.cost) == (1, 1)
    assert one.params()["start_date"] == "2026-01-01"
    assert one.params()["end_date"] == "2026-01-07"


def test_fifty_places_share_a_call_and_the_next_begins_another() -> None:
    """51 cells are two calls, of 50 and of 1; the lists of parameters are as long as each other."""
    days = [CellDay("archive", n / 10, 2.2, FIRST) for n in range(51)]
    found = bundles(days)
    assert [len(one.spans) for one in found] == [50, 1]
    lists = ("latitude", "longitude", "start_date", "end_date")
    assert [str(found[0].params()[name]).count(",") for name in lists] == [49] * 4


def test_recent_days_are_asked_for_first_and_the_archive_for_no_more_than_it_has() -> None:
    """Forecast, archive, stitched forecasts; visibility and UV are not the archive's to tell."""
    days = home("historical_forecast", 1) + home("archive", 1) + home("forecast", 300)
    assert [one.service for one in bundles(days)] == ["forecast", "archive", "historical_forecast"]
    assert not {"visibility", "uv_index"} & columns("archive").keys()
    assert {"visibility", "uv_index"} <= columns("forecast").keys()


@given(
    st.lists(
        st.tuples(st.sampled_from(["archive", "forecast"]), st.integers(0, 3), st.integers(0, 120)),
        max_size=60,
    )
)
def test_every_day_is_asked_for_once_at_the_price_of_as_few_spans_as_can_be(
    chosen: list[tuple[str, int, int]],
) -> None:
    """No day is lost or asked for twice; no span costs more than a day; greedy is not beaten by
    counting the fewest windows that cover the days.
    """
    wanted = {CellDay(s, lat / 10, 2.2, FIRST + dt.timedelta(days=n)) for s, lat, n in chosen}
    found = bundles(wanted)
    asked = [
        CellDay(one.service, span.cell_lat, span.cell_lng, day)
        for one in found
        for span in one.spans
        for day in span.days()
    ]
    assert len(asked) == len(set(asked))
    assert wanted <= set(asked)
    spans = [(one.service, span) for one in found for span in one.spans]
    assert all(cost(service, span.day_count) == cost(service, 1) for service, span in spans)
    key = lambda day: day[:3]  # noqa: E731 used twice
    fewest = 0
    for (service, *_), days in itertools.groupby(sorted(wanted), key):
        longest = 15 if service == "archive" else 14
        covered = dt.date.min
        for one in days:
            if one.day > covered:
                fewest += 1
                covered = one.day + dt.timedelta(days=longest - 1)
    assert len(spans) == fewest
    assert sum(one.cost for one in found) >= math.floor(sum(cost(s, p.day_count) for s, p in spans))
