"""Fifty who read the snapshot again and again while flows replace it, and one who keeps it open.

Started as a program, which forks a process for each: connections of one process to one file share
what DuckDB holds of it.
"""

import os
import random
import sys
import threading
from collections import Counter
from pathlib import Path

import duckdb
import orjson

from tracklake import config, reading
from tracklake.config import Folders
from tracklake.errors import Error

READERS = 50
_PAUSE_S = 10.0  # between two looks of one reader, at most
_NICE = 19  # fifty at once would leave two cores nothing for the flows
_QUERIES = (
    "select count(*), min(kudos_count), max(kudos_count) from activities",
    "select count(*), min(a.kudos_count), max(s.kudos_count) "
    "from activities as a inner join activities as s using (id)",
    "select count(distinct activity_id), 0, 0 from activity_streams",
)


class Reader:
    """One who reads; errors: what went wrong; looks: how often it did not."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.errors: list[str] = []
        self.looks: Counter[int] = Counter()  # by the generation that was seen
        self._last = (0, 0)

    def look(self) -> None:
        """Ask several things of one snapshot: they are of one generation, and none goes back."""
        with reading.snapshot(self.folders) as connection:
            answers = [connection.execute(query).fetchone() for query in _QUERIES]
        first, second, points = answers
        assert first is not None
        assert points is not None
        if first != second or first[1] != first[2]:
            self.errors.append(f"of several generations: {first}, {second}")
        if (first[1], first[0]) < self._last:
            self.errors.append(f"{first} after {self._last}")
        self._last = (first[1], first[0])
        self.looks[first[1]] += 1

    def keep_looking(self, done: threading.Event, seed: int) -> None:
        """Look until done, at instants of its own."""
        dice = random.Random(seed)  # noqa: S311 only pauses
        while not done.wait(dice.uniform(0, _PAUSE_S)):
            self.look()
        self.look()


class Shell(Reader):
    """One who opened the snapshot once, and is told the same ever after."""

    def keep_looking(self, done: threading.Event, seed: int) -> None:  # noqa: ARG002 as a reader
        """Ask until done."""
        with reading.snapshot(self.folders) as connection:
            first = [connection.execute(query).fetchone() for query in _QUERIES]
            while not done.wait(0.5):
                now = [connection.execute(query).fetchone() for query in _QUERIES]
                self.looks[0] += 1
                if now != first:
                    self.errors.append(f"the shell was told {first}, then {now}")


def main(folder: str) -> None:
    """Fork the processes; tell what each came to when standard input ends."""
    _, folders = config.load(data_dir=Path(folder))
    pipes = [_forked(Reader(folders), number) for number in range(READERS)]
    pipes.append(_forked(Shell(folders), READERS))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    told = [orjson.loads(os.fdopen(pipe, "rb").read()) for pipe in pipes]
    sys.stdout.write(orjson.dumps(told).decode() + "\n")


def _forked(reader: Reader, number: int) -> int:
    """Have a process look; return where it tells what it came to."""
    from_child, for_us = os.pipe()
    if os.fork() == 0:
        os.nice(_NICE)
        os.write(for_us, orjson.dumps(_told(reader, number)))
        os._exit(0)
    os.close(for_us)
    return from_child


def _told(reader: Reader, number: int) -> dict[str, object]:
    done = threading.Event()

    def wait_for_the_end() -> None:  # standard input is everybody's, and ends for everybody
        sys.stdin.read()
        done.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    try:
        reader.keep_looking(done, number)
    except (Error, duckdb.Error, AssertionError) as error:
        reader.errors.append(repr(error))
    looks = reader.looks
    return {"errors": reader.errors, "looks": looks.total(), "generations": sorted(looks)}


if __name__ == "__main__":
    main(sys.argv[1])
