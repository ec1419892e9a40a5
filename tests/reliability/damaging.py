"""Damage as disks do it: a bit, a block, an end that is missing; and a small lake to do it to."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from tests.rows import OPENED, StandingClock, file_row, land, make_session
from tracklake import compaction, incoming, warehouse, writer_file
from tracklake.incoming import Shard
from tracklake.session import SyncSession

SEED = 20261126
_BLOCK = 4096


def _flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _zeroed(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data)) // _BLOCK * _BLOCK
    return data[:start] + bytes(len(data[start : start + _BLOCK])) + data[start + _BLOCK :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _emptied(_data: bytes, _dice: random.Random) -> bytes:
    return b""


KINDS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flipped": _flipped,
    "zeroed": _zeroed,
    "cut": _cut,
    "emptied": _emptied,
}


def damage(path: Path, kind: str, dice: random.Random) -> bool:
    """Damage a file in its place, as a disk does; tell whether a byte of it changed."""
    if kind == "removed":
        path.unlink()
        return True
    good = path.read_bytes()
    bad = KINDS[kind](good, dice)
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(bad)
    path.chmod(mode)
    return bad != good


def rot(path: Path, dice: random.Random) -> None:
    """Flip a bit and leave size and times as they were: nobody wrote the file."""
    status = path.stat()
    damage(path, "flipped", dice)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def dice(seed: int = SEED) -> random.Random:
    """Return dice that fall the same way in each run."""
    return random.Random(seed)  # noqa: S311 no secret is made of it


def strata(count: int, kinds: tuple[str, ...] = (*KINDS,)) -> Iterator[tuple[str, random.Random]]:
    """Yield kinds of damage in turn, each with dice of its own; few of those that have no place."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind, dice(SEED + number)


def small_lake(folder: Path) -> SyncSession:
    """Make a lake of six activities whose warehouse is closed and published."""
    session = make_session(folder)
    for number in range(3):
        land(session, file_row(2 * number), file_row(2 * number + 1))
    compaction.compact(session)
    return session


def leave_a_log(session: SyncSession) -> None:
    """Land four more, and take them into the warehouse as a process that is then killed."""
    for number in range(6, 10):
        land(session, file_row(number))
    process = os.fork()
    if process == 0:
        connection = warehouse.connect(writer_file.path_of(session), threads=1)
        known = {name for (name,) in connection.execute("select shard from shards").fetchall()}
        root = session.folders.bronze
        for path in sorted(root.rglob("shard.parquet")):
            if path.relative_to(root).as_posix() not in known:
                shard = Shard("activities", path, path.stat().st_size)
                for batch in incoming.batches(connection, [shard]):
                    batch.is_last = False  # the log stays a log
                    warehouse.apply(connection, root, batch)
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0
    assert writer_file.log_of(writer_file.path_of(session)).stat().st_size > 0


def copied(session: SyncSession, folder: Path) -> SyncSession:
    """Return a session on a copy of a lake; state databases that are open are closed by tests."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(session.folders.data.parent, folder)
    clock = session.clock
    assert isinstance(clock, StandingClock)
    return make_session(folder, StandingClock(clock.moment))


def close(session: SyncSession) -> None:
    """Close a session's state database before the end of the test."""
    session.state.close()
    OPENED.remove(session.state)


def gold(session: SyncSession) -> dict[str, tuple[int, int]]:
    """Return rows and hash of each table of the published snapshot."""
    with duckdb.connect(str(session.folders.warehouse), read_only=True) as connection:
        return warehouse.digest(connection)
