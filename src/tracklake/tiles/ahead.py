"""Reads geometry for several files at once: a query for five costs little more than for one."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from tracklake.model import FloatArray
from tracklake.tiles.rows import Row

Tracked = tuple[Row, list[FloatArray]]

MOST = 2000  # tracks held at a time: some 20 MB


class Ahead:
    """The geometry of what is drawn, in the order of the files; a few of them are read ahead."""

    def __init__(
        self,
        read: Callable[[Sequence[Row]], Iterable[Tracked]],
        files: Sequence[Sequence[Row]],
        *,
        most: int = MOST,
    ) -> None:
        self._read = read
        self._files = list(files)
        self._most = most
        self._held: dict[int, list[FloatArray]] = {}

    def tracks(self, rows: Sequence[Row]) -> Iterator[Tracked]:
        """Yield the geometry of those of the rows that have one, in their order."""
        wanted = [row for row in rows if row.track_hash is not None]
        if len(wanted) > self._most:  # not held: a file at a time is enough
            yield from self._read(wanted)
            return
        if any(row.activity_id not in self._held for row in wanted):
            self._held = {}
            ahead = self._read(self._next(wanted))
            self._held = {row.activity_id: parts for row, parts in ahead}
        for row in wanted:
            yield row, self._held[row.activity_id]

    def _next(self, wanted: Sequence[Row]) -> list[Row]:
        """Return what is wanted and what the files after it will want, as far as it may be held."""
        taken = {row.activity_id: row for row in wanted}
        ids = set(taken)
        begun = False
        for rows in self._files:
            begun = begun or not ids.isdisjoint(row.activity_id for row in rows)
            if not begun:
                continue
            more = {row.activity_id: row for row in rows if row.track_hash is not None}
            if len(taken.keys() | more.keys()) > self._most:
                break
            taken |= more
        return list(taken.values())
