"""Backups under attack: each of 30 damaged or restored, killed anywhere, cut off at any byte."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Ended, Order, Steps, driven, spread
from tests.reliability.broken_line import Line, cut_for_good, cut_once
from tests.test_backup import LATER, Lake, content, grown, run
from tests.test_backup_bucket import BUCKET, Server, environment, server
from tests.test_backup_killed import STEPS, copies, leftovers
from tracklake.backup import catalogue, restoring
from tracklake.errors import Error

__all__ = ["server"]  # the fixture

HOW_MANY = 30
KILLS = 24
NEW_BYTES = 450_000  # what the fixture has to send, about


# ---- each of 30


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a place with 30 backups, each of another gold."""
    lake = grown(tmp_path_factory.mktemp("thirty"), 1)
    for number in range(HOW_MANY):
        lake.grow(number + 2)
        lake.create()
        lake.clock.moment = LATER.replace(day=2 + number % 28, month=1 + number // 28)
    assert len(lake.names()) == HOW_MANY
    lake.session.state.close()
    return lake


def test_each_of_30_gives_its_dump(thirty: Lake, tmp_path: Path) -> None:
    """Restored, each of 30 has the tables' hashes, the answers and the bytes that it recorded."""
    hashes = set()
    for number, name in enumerate(thirty.names()):
        made = thirty.made(name)
        proof = thirty.restore_to(tmp_path / f"{number}", name)  # raises where a hash differs
        assert proof.tables["records"] == number + 2
        assert proof.answers == len(made.answers)
        hashes.add(made.gold_hash)
        shutil.rmtree(tmp_path / f"{number}")
    assert len(hashes) == HOW_MANY


def test_a_bit_in_each_of_30_is_named(thirty: Lake) -> None:
    """A flipped bit in each of 30 backups, and in each of their manifests, is named with it."""
    owners: dict[str, set[str]] = {}
    for name in thirty.names():
        for _, piece in thirty.made(name).pieces():
            owners.setdefault(piece.object_name, set()).add(name)
    own: dict[str, str] = {}
    for one, names in owners.items():
        if len(names) == 1 and one.endswith(".zst"):
            own.setdefault(min(names), one)
    assert len(own) == HOW_MANY
    for targets in (own, {name: catalogue.file_name(name) for name in thirty.names()}):
        store = thirty.store
        good = dict(zip(targets.values(), store.get(list(targets.values())), strict=True))
        store.put({one: _flipped(data or b"") for one, data in good.items()})
        said = thirty.damage()
        store.put({one: data or b"" for one, data in good.items()})
        for name, one in targets.items():
            assert any(name in line for line in said), (name, one)
        assert len(said) == HOW_MANY
    assert thirty.damage() == []


def _flipped(data: bytes) -> bytes:
    """Change a bit in the middle, where no header lies."""
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 16
    return bytes(changed)


def test_exactly_30_stay(thirty: Lake, tmp_path: Path) -> None:
    """A 31st, all within weeks that later ones stand for, leaves 30 and those of their weeks."""
    shutil.copytree(thirty.folder, tmp_path / "more")
    lake = Lake(tmp_path / "more")
    lake.clock.moment = LATER.replace(month=2, day=3, hour=6)
    before = lake.names()
    for _ in range(9):
        lake.clock.moment = lake.clock.moment.replace(minute=lake.clock.moment.minute + 1)
        lake.create()
    after = lake.names()
    assert set(before[9:]) < set(after)  # the last 30 are there, whatever else is
    assert len(after) == HOW_MANY + len(set(after) & set(before[:9]))
    assert len(set(after) & set(before[:9])) <= 2  # the last ones of two weeks


# ---- killed


def obeyed(order: Order) -> int:
    """Restore on trial; kill this process at step `kill_at`, or return how many there were."""
    lake = Lake(Path(order["folder"]))
    steps = Steps(order["kill_at"])
    _ = lake.session

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS or (event == "open" and arguments[1] in ("wb", "xb", "w")):
            steps.step()

    sys.addaudithook(count)
    with restoring.fetched(lake.store, lake.made(), lake.folders.data, lambda _: None):
        pass
    return steps.count


def test_a_trial_killed_at_any_step(tmp_path: Path) -> None:
    """After SIGKILL before each step of a trial nothing has changed, and the next one works."""
    lake = grown(tmp_path / "calm", 2)
    lake.create()
    before = content(lake.folders.data)
    lake.session.state.close()

    def order(folder: Path, kill_at: int) -> Order:
        return {"folder": str(folder), "kill_at": kill_at}

    def done(orders: list[Order]) -> list[Ended]:
        return driven(orders, __name__, "obeyed")

    [(code, steps)] = done([order(copies(lake.folder, 1)[0], 0)])
    assert code == 0
    shutil.rmtree(tmp_path / "copy0")
    kills = spread(steps, KILLS)
    places = copies(lake.folder, len(kills))
    ended = done([order(one, at) for one, at in zip(places, kills, strict=True)])
    assert {one.code for one in ended} == {-signal.SIGKILL}
    for one in places:
        assert content(one / "data") == before
        assert Lake(one).damage() == []
    again = run(places[-1], "restore", "--drill")
    assert again.returncode == 0, again.stderr
    assert leftovers(Lake(places[-1])) == []


# ---- the line to the bucket


@pytest.fixture
def lake(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return a place with a backup in a bucket, and more that is not backed up yet."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    found = grown(tmp_path, 2, f"s3://{BUCKET}/{tmp_path.name}")
    found.create()
    for number in range(20):
        found.put(found.folders.bronze / f"{number}.bin", os.urandom(20_000))
    return found


def through(lake: Lake, line: Line, act: Callable[[Lake], Any], patch: pytest.MonkeyPatch) -> str:
    """Do something by that line; return what was said if it failed."""
    with patch.context() as changed:
        changed.setenv("AWS_ENDPOINT_URL", line.endpoint)
        try:
            act(lake)
        except Error as error:
            return str(error)
    return ""


def port(server: Server) -> int:
    """Return where the server listens."""
    return int(server.endpoint.rsplit(":", 1)[1])


def length(
    lake: Lake, server: Server, patch: pytest.MonkeyPatch, act: Callable[[Lake], Any]
) -> int:
    """Return how many bytes of answers something takes by the line."""
    with Line(port(server), sent=False, at=-1, then=cut_once) as line:
        assert through(lake, line, act, patch) == ""
        return line.count


def sent_in_vain(lake: Lake, first: set[str]) -> None:
    """See that what was there before is whole, and that the next backup is made."""
    assert first <= set(lake.names())
    assert lake.damage() == []


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_cut_while_sending(
    lake: Lake, server: Server, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """A line that breaks once costs nothing; what stays broken is said, and the next is made."""
    first = set(lake.names())
    at = int(NEW_BYTES * share)
    with Line(port(server), sent=True, at=at, then=cut_for_good) as line:
        said = through(lake, line, Lake.create, monkeypatch)
        assert line.has_struck
    assert "AWS_ENDPOINT_URL" in said
    sent_in_vain(lake, first)
    lake.put(lake.folders.bronze / "more.bin", os.urandom(500_000))
    with Line(port(server), sent=True, at=at, then=cut_once) as line:
        assert through(lake, line, Lake.create, monkeypatch) == ""
        assert line.has_struck
    sent_in_vain(lake, first)
    assert len(lake.names()) == len(first) + 1


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_cut_while_restoring(
    lake: Lake, server: Server, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """A line that breaks once costs nothing; one that stays broken leaves the data as it was."""
    lake.create()
    before = content(lake.folders.data)

    def restored(one: Lake) -> None:
        one.restore_to(one.folder / "other")

    size = length(lake, server, monkeypatch, restored)
    shutil.rmtree(lake.folder / "other")
    with Line(port(server), sent=False, at=int(size * share), then=cut_for_good) as line:
        said = through(lake, line, Lake.restore, monkeypatch)
        assert line.has_struck
    assert "AWS_ENDPOINT_URL" in said
    assert content(lake.folders.data) == before
    assert not list(lake.folders.data.glob("*restor*"))
    with Line(port(server), sent=False, at=int(size * share), then=cut_once) as line:
        assert through(lake, line, restored, monkeypatch) == ""
        assert line.has_struck
    assert content(lake.folder / "other") == before


@pytest.mark.parametrize("share", [0.05, 0.4, 0.8, 0.95])
def test_killed_while_sending(lake: Lake, server: Server, share: float) -> None:
    """SIGKILL of the command at a byte that it sends leaves all that was there before."""
    first = set(lake.names())
    started: list[subprocess.Popen[bytes]] = []

    def kill(line: Line) -> None:
        started[0].kill()
        line.cut()

    with Line(port(server), sent=True, at=int(NEW_BYTES * share), then=kill) as line:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracklake", "backup", "create"],
            env=environment(lake, AWS_ENDPOINT_URL=line.endpoint),
            cwd=lake.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        process.wait(timeout=60)
        assert line.has_struck
    assert process.returncode == -signal.SIGKILL
    sent_in_vain(lake, first)
    again = run(lake.folder, "create", **environment(lake))
    assert again.returncode == 0, again.stderr
    assert lake.damage() == []
    assert leftovers(lake) == []


def test_the_answer_to_the_last_word_is_lost(
    lake: Lake, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pointer moved, the answer got lost, it is sent again: nobody else moved it."""
    before = catalogue.named(lake.store)
    name = lake.names()[-1].encode() + b"x"

    def point(one: Lake) -> None:
        one.store.point("latest", name, before)

    size = length(lake, server, monkeypatch, point)
    lake.store.put({"latest": before or b""})
    with Line(port(server), sent=False, at=size - 5, then=cut_once) as line:
        assert through(lake, line, point, monkeypatch) == ""
        assert line.has_struck
    assert catalogue.named(lake.store) == name
