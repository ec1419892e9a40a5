"""Damage in a store: any byte, of any kind of object, is found by verify and refused by restore."""

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.test_backup import Lake, content, grown
from tracklake import compaction
from tracklake.backup import catalogue, manifest, storing, verifying
from tracklake.backup.folder import FolderStore
from tracklake.errors import InvalidData, StorageError

SEED = 20261126


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a place with two activities and a backup of them."""
    found = grown(tmp_path, 2)
    found.create()
    return found


def fair_dice() -> random.Random:
    """Return dice that fall the same way in each run."""
    return random.Random(SEED)  # noqa: S311 no secret is made of it


def cut(data: bytes, _dice: random.Random) -> bytes:
    """Return all but the last byte."""
    return data[:-1]


def emptied(_data: bytes, _dice: random.Random) -> bytes:
    """Return nothing."""
    return b""


def flipped(data: bytes, dice: random.Random) -> bytes:
    """Return the bytes with one bit changed."""
    changed = bytearray(data)
    changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def lengthened(data: bytes, _dice: random.Random) -> bytes:
    """Return the bytes and one more."""
    return data + b"\0"


DAMAGES = [cut, emptied, flipped, lengthened]


def kinds(lake: Lake) -> dict[str, str]:
    """Return an object of each kind of file that backups hold, by kind."""
    found: dict[str, str] = {}
    for entry, piece in lake.made().pieces():
        found.setdefault(entry.path.split("/")[0], piece.object_name)
    return found


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_object_damaged(
    lake: Lake, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    """Damage in bronze, streams, tracks, state or warehouse is named, and nothing is restored.

    `create --full` mends it from the data folder, and the backup is sound again.
    """
    dice = fair_dice()
    found = kinds(lake)
    assert sorted(found) == ["bronze", "state", "streams", "tracks", "warehouse"]
    before = content(lake.folders.data)
    for kind in found:
        name = kinds(lake)[kind]
        (good,) = lake.store.get([name])
        assert good is not None
        lake.store.put({name: damage(good, dice)})
        [said] = lake.damage()
        assert name in said
        assert said.startswith(kind)
        with pytest.raises(InvalidData, match=f"the backup of {kind}/.* is damaged"):
            lake.restore()
        assert content(lake.folders.data) == before
        assert not list(lake.folders.data.glob("*restor*"))
        lake.create(full=True)
        assert [one for one in lake.damage(every=False) if "is gone" in one] == []
        lake.store.put({name: good})
        assert lake.damage() == []


def test_any_bit_of_any_object(lake: Lake) -> None:
    """A flipped bit anywhere is found, or is one that changes no byte of what comes back."""
    dice = fair_dice()
    for item in list(lake.store.items("objects")):
        (good,) = lake.store.get([item.name])
        assert good is not None
        bad = flipped(good, dice)
        lake.store.put({item.name: bad})
        found = lake.damage()
        harmless = item.name.endswith(".zst") and not found
        assert found or harmless, item.name
        if harmless:
            assert manifest.unpack(bad) == manifest.unpack(good)
        lake.store.put({item.name: good})


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_manifest(
    lake: Lake, tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    """It is named and refused; the backup before it is restored, and the next create goes on."""
    dice = fair_dice()
    held = content(lake.folders.data)
    first = lake.names()[0]
    newest = lake.create().name
    (good,) = lake.store.get([catalogue.file_name(newest)])
    lake.store.put({catalogue.file_name(newest): damage(good or b"", dice)})
    [said] = lake.damage()
    assert newest in said
    with pytest.raises(InvalidData, match=newest):
        lake.restore()
    lake.restore_to(tmp_path / "other", first)
    assert content(tmp_path / "other") == held
    [warning] = lake.create().warnings
    assert newest in warning
    lake.restore_to(tmp_path / "again")
    assert content(tmp_path / "again") == held


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_latest(lake: Lake, damage: Callable[[bytes, random.Random], bytes]) -> None:
    """A pointer that names no backup is told, and the newest backup is found without it."""
    newest = lake.names()[-1]
    (good,) = lake.store.get(["latest"])
    lake.store.put({"latest": damage(good or b"", fair_dice())})
    assert "latest" in lake.damage()[0]
    assert catalogue.chosen(lake.store, None) == newest


def test_what_is_missing_is_found_without_reading(lake: Lake) -> None:
    """Presence and size of all objects are looked at whatever part is read."""
    names = list(kinds(lake).values())
    lake.store.delete(names[:1])
    lake.store.put({names[2]: b"short"})
    found = [
        verifying.verify(lake.store, lake.names(), verifying.Part(part, 1_000), lambda _: None)
        for part in (1, 500)
    ]
    assert [len(one.damaged) for one in found] == [2, 2]


def test_the_parts_of_a_week_are_all(lake: Lake) -> None:
    """Seven daily verifications read every object once."""
    found = [
        verifying.verify(lake.store, lake.names(), verifying.Part(part, 7), lambda _: None)
        for part in range(1, 8)
    ]
    assert (
        sum(one.hashed for one in found)
        == found[0].objects
        == len(list(lake.store.items("objects")))
    )


def test_a_damaged_warehouse_is_not_backed_up(lake: Lake) -> None:
    """What cannot be opened and read whole is refused, and the backups of before stay."""
    before = lake.names()
    snapshot = lake.folders.warehouse
    good = snapshot.read_bytes()
    snapshot.chmod(0o644)
    snapshot.write_bytes(good[:8192] + os.urandom(len(good) - 8192))
    with pytest.raises(StorageError, match="is damaged"):
        lake.create()
    assert lake.names() == before
    assert not list(lake.folders.state.glob(".landing-*"))
    compaction.compact(lake.session)  # publishes it anew
    lake.create()
    assert lake.damage() == []


def test_a_damaged_state_is_not_backed_up(lake: Lake) -> None:
    """A state database that is damaged is refused in a sentence."""
    lake.session.state.close()
    database = lake.folders.state / "tracklake.sqlite"
    data = bytearray(database.read_bytes())
    data[4096 : 4096 * 3] = bytes(4096 * 2)
    database.write_bytes(data)
    with pytest.raises(StorageError, match="state database"):
        Lake(lake.folder).create()


class Liar(FolderStore):
    """A store that gives back other bytes than it was given."""

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return what is there with one bit changed."""
        return [data and flipped(data, fair_dice()) for data in super().get(names)]


def test_what_is_stored_is_read_back(lake: Lake, tmp_path: Path) -> None:
    """A store that loses bits is found out before a manifest is written, or `latest` moves."""
    liar = Liar(tmp_path / "liar")
    depot = storing.Depot(liar, {}, {})
    depot.add(lake.folders.warehouse, packed=True)
    with pytest.raises(StorageError, match="gives back other bytes"):
        depot.flush()
    with pytest.raises(StorageError, match="gives back another manifest"):
        catalogue.publish(liar, *manifest.write(lake.made()), None)
    assert not (tmp_path / "liar" / "latest").exists()
