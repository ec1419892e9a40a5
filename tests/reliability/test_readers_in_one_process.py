"""Readers that are threads of one process: each has the snapshot to itself, and it is whole."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from tracklake import landing, reading
from tracklake.config import Folders

THREADS, OPENS = 8, 10  # with another way of opening, one of the first ten fails
_MADE = "create table {} as select {} as generation, range as value from range(3000)"
_ASKED = "select count(*), min(generation), max(generation) from {}"


class Publisher:
    """Puts one generation after the other in place, as flows do; `number`: the last one."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.number = 0

    def publish(self) -> None:
        """Replace the snapshot by rename; both of its tables say which generation it is."""
        with landing.landing(self.folders.warehouse) as temporary:
            with contextlib.closing(duckdb.connect(str(temporary))) as gold:
                for table in ("activities", "records"):
                    gold.execute(_MADE.format(table, self.number + 1))
            temporary.chmod(0o444)
        self.number += 1

    def keep_publishing(self, done: threading.Event) -> None:
        """Publish until done."""
        while not done.is_set():
            self.publish()


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """Return one that has published a first generation."""
    folders = Folders(data=tmp_path, secrets=tmp_path, logs=tmp_path, inbox=tmp_path / "inbox")
    made = Publisher(folders)
    made.publish()
    return made


def look(publisher: Publisher) -> int:
    """Open the snapshot, ask both of its tables twice, and return which generation it is."""
    before = publisher.number
    with reading.snapshot(publisher.folders) as connection:
        answers = {
            connection.execute(_ASKED.format(table)).fetchone()
            for table in ("activities", "records", "activities", "records")
        }
    [answer] = answers
    assert answer is not None
    count, first, last = answer
    assert count == 3000
    assert first == last >= before, f"{first} is older than {before}, which was published before"
    return int(first)


def test_threads_that_open_while_it_is_replaced(publisher: Publisher) -> None:
    """No open fails; each sees one whole generation, none that was replaced before it began."""
    done = threading.Event()
    with ThreadPoolExecutor(THREADS + 1) as pool:
        publishing = pool.submit(publisher.keep_publishing, done)
        try:
            seen = set(pool.map(lambda _: look(publisher), range(THREADS * OPENS)))
        finally:
            done.set()
        publishing.result()
    assert len(seen) > 1


def spills(connection: duckdb.DuckDBPyConnection) -> object:
    """Return where a large question is put down that finds no room in memory."""
    return connection.execute("select current_setting('temp_directory')").fetchone()


def test_one_that_stays_open_holds_nobody_back(publisher: Publisher) -> None:
    """Who opened before a publication keeps the old snapshot; who opens after it has the new.

    They share no folder for what does not fit into memory: DuckDB dies of that.
    """
    with reading.snapshot(publisher.folders) as old:
        publisher.publish()
        assert look(publisher) == 2
        assert old.execute(_ASKED.format("activities")).fetchone() == (3000, 1, 1)
        with reading.snapshot(publisher.folders) as new:
            assert spills(old) != spills(new)
        with pytest.raises(duckdb.Error, match="locked"):
            old.execute("set enable_external_access = true")
