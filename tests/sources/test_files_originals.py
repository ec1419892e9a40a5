"""Reading files that change or are too large, and keeping originals."""

import os
from pathlib import Path

import pytest

from tracklake.errors import InvalidData, StorageError
from tracklake.identity import bytes_hash
from tracklake.intake import containers
from tracklake.intake import originals as files_originals
from tracklake.intake.originals import Job, Originals, Place


def job(path: Path, **more: int) -> Job:
    """Make a job for a file as it is, or as it is said to have been."""
    return Job(path=str(path), shown=path.name, size_bytes=0, **more)  # type: ignore[arg-type] # only modified_ns is given


def test_a_file_is_read_as_it_was_listed_or_not_at_all(tmp_path: Path) -> None:
    """A file that was written to since it was listed is left for later."""
    path = tmp_path / "a.fit"
    path.write_bytes(b"content")
    now_ns = path.stat().st_mtime_ns
    assert files_originals.read(job(path, modified_ns=now_ns)) == b"content"
    assert files_originals.read(job(path, modified_ns=now_ns - 1)) is None
    assert files_originals.read(job(path)) == b"content"


def test_a_file_larger_than_any_activity_is_not_read(tmp_path: Path) -> None:
    """The size is looked at before the bytes."""
    path = tmp_path / "a.fit"
    path.touch()
    os.truncate(path, containers.MOST_BYTES + 1)
    with pytest.raises(InvalidData) as refusal:
        files_originals.read(job(path))
    assert refusal.value.reason == "too_large"


def test_originals_are_kept_by_their_hash(tmp_path: Path) -> None:
    """Nothing has its name before all is durable; what is there already is not written again."""
    place = Place(data=tmp_path, athlete="me", keep_free_bytes=0)
    place.make_folders()
    originals = Originals(place)
    contents = [bytes([number]) * 9 for number in range(5)]
    locations = [originals.write(bytes_hash(one), ".fit", one) for one in contents]
    before = [(tmp_path / location).exists() for location in locations]
    originals.land()
    assert before == [False] * 5
    assert [(tmp_path / location).read_bytes() for location in locations] == contents
    assert list(place.spool.iterdir()) == []
    assert originals.write(bytes_hash(contents[0]), ".fit", contents[0]) == locations[0]
    assert list(place.spool.iterdir()) == []


def test_no_room_no_original(tmp_path: Path) -> None:
    """An original that would take the last free bytes is not written."""
    place = Place(data=tmp_path, athlete="me", keep_free_bytes=1 << 62)
    place.make_folders()
    with pytest.raises(StorageError, match="make room"):
        Originals(place).write("0" * 64, ".fit", b"content")
    assert list(place.spool.iterdir()) == []
