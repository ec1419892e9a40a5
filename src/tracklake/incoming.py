"""New shards of bronze in batches that are small, however many there are and however large.

A large shard comes in pieces. Gold says the same whichever rows come together, so the rest of a
shard may come later, or all of it again; only with its last rows is it taken in.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

_MOST_ROWS = 5_120
_MOST_BYTES = 4 << 20  # of Parquet; unpacked several times that
_WEIGHTS = {  # others: 1
    **{"activity_details": 4, "activity_streams": 2, "activity_zones": 2},
    **{"activity_intervals": 2},
}
_LOOKED_AT = 256  # shards at once


class Shard(NamedTuple):
    """A shard of bronze and what it holds."""

    entity: str
    path: Path
    size_bytes: int


@dataclass
class Batch:
    """Shards to take in together, or rows of one."""

    shards: list[Shard] = field(default_factory=list)
    row_counts: list[int] = field(default_factory=list)
    first_row: int = 0
    end_row: int = 1 << 62
    weight: float = 0.0  # 1: full
    is_last: bool = False

    @property
    def finishes(self) -> bool:
        """Whether these are the last rows of its shards."""
        return self.end_row >= max(self.row_counts)

    def paths(self, entity: str) -> list[str]:
        """Name the shards of an entity."""
        return [str(shard.path) for shard in self.shards if shard.entity == entity]


def batches(
    connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard], *, most_rows: int = _MOST_ROWS
) -> Iterator[Batch]:
    """Put shards together, and take large ones apart, in their order.

    most_rows: of the narrowest entity, in one batch.
    """
    waiting: Batch | None = None
    for batch in _batches(connection, shards, most_rows):
        if waiting:
            yield waiting
        waiting = batch
    if waiting:
        waiting.is_last = True
        yield waiting


def _batches(
    connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard], most_rows: int
) -> Iterator[Batch]:
    batch = Batch()
    for shard, row_count in _counted(connection, shards):
        weight = _weight(shard, row_count, most_rows)
        if batch.shards and batch.weight + weight > 1:
            yield batch
            batch = Batch()
        if weight > 1:
            yield from _pieces(shard, row_count, weight)
            continue
        batch.shards.append(shard)
        batch.row_counts.append(row_count)
        batch.weight += weight
    if batch.shards:
        yield batch


def _weight(shard: Shard, row_count: int, most_rows: int) -> float:
    """Say how many batches a shard fills."""
    rows = row_count * _WEIGHTS.get(shard.entity, 1)
    return max(rows / most_rows, shard.size_bytes / _MOST_BYTES)


def _pieces(shard: Shard, row_count: int, weight: float) -> Iterator[Batch]:
    step = math.ceil(row_count / math.ceil(weight))
    for first in range(0, row_count, step):
        yield Batch([shard], [row_count], first, first + step)


def _counted(
    connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard]
) -> Iterator[tuple[Shard, int]]:
    """Tell how many rows each has, from its footer."""
    for start in range(0, len(shards), _LOOKED_AT):
        some = shards[start : start + _LOOKED_AT]
        files = list_literal(str(shard.path) for shard in some)
        found = connection.execute(
            f"select file_name, num_rows from parquet_file_metadata({files})"  # noqa: S608 our own names, quoted
        ).fetchall()
        counts = {str(name): int(count) for name, count in found}
        yield from ((shard, counts[str(shard.path)]) for shard in some)


def list_literal(names: Iterable[str]) -> str:
    """Write names as a list in SQL: a bound parameter costs DuckDB a search for pandas."""
    return "[" + ", ".join(map(literal, names)) + "]"


def literal(text: str) -> str:
    """Write a text in SQL."""
    return "'" + text.replace("'", "''") + "'"
