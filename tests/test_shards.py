"""Rows become a shard's table, also those whose lists of structs come by column."""

import datetime as dt
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tracklake import shards
from tracklake.strava.strict import Rows

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)

Row = dict[str, Any]


def packed(*rows: Row) -> pa.Table:
    """Return rows as a shard has them."""
    whole = [{**row, "content_hash": "h", "wanted_hash": "w"} for row in rows]
    return shards.table("activity_details", whole, NOW)


def test_rows_by_column_are_rows() -> None:
    """They have a length, and each comes out with its values under their names."""
    rows = Rows({"key": ["a", "b"], "value": (1, None)})
    assert len(rows) == 2
    assert list(rows) == [{"key": "a", "value": 1}, {"key": "b", "value": None}]


@given(st.lists(st.none() | st.integers(0, 3), max_size=8))
def test_one_row_of_each_key(keys: list[int | None]) -> None:
    """Of rows with one key the last stays, where the first was; those without a key go."""
    found = Rows({"key": keys, "number": range(len(keys))}).once("key")
    last = {key: number for number, key in enumerate(keys) if key is not None}
    assert [(row["key"], row["number"]) for row in found] == list(last.items())


LAPS = st.lists(
    st.fixed_dictionaries(
        {"lap_index": st.integers(1, 9), "distance": st.none() | st.floats(0, 9)}
    ),
    max_size=3,
)


@given(st.lists(st.none() | st.tuples(LAPS, st.booleans()), max_size=6))
def test_a_shard_takes_rows_either_way(listed: list[tuple[list[Row], bool] | None]) -> None:
    """A shard is the same whether lists of structs come by column, as rows, mixed, or lack."""
    names = shards.ACTIVITY_DETAILS.field("laps").type.value_type.names
    as_rows, mixed = [], []
    for one in listed:
        laps, by_column = one or (None, False)
        as_rows.append({"record_id": 1, "laps": laps})
        by_name = Rows({name: [lap.get(name) for lap in laps or ()] for name in names})
        mixed.append({"record_id": 1, "laps": by_name if by_column else laps})
    found = packed(*mixed)
    found.validate(full=True)
    assert found.equals(packed(*as_rows))
    assert found.column("laps").to_pylist() == [
        None if one is None else [dict.fromkeys(names) | lap for lap in one[0]] for one in listed
    ]
