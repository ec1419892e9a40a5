"""Files that come to be whole and durable, or not at all."""

from pathlib import Path

import pytest

from tracklake import landing


def test_what_is_landed_is_there_and_nothing_else(tmp_path: Path) -> None:
    """A landed file has its bytes, in folders made for it, and leaves no temporary name."""
    landing.write(tmp_path / "a" / "b" / "file.bin", b"bytes")
    assert (tmp_path / "a" / "b" / "file.bin").read_bytes() == b"bytes"
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["file.bin"]


def test_a_landing_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """An error while writing keeps what was there before and removes the half-written file."""
    path = tmp_path / "file"
    landing.write(path, b"old")

    def fail() -> None:
        with landing.landing(path) as temporary:
            temporary.write_bytes(b"half")
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_sweeping_removes_what_killed_landings_left_and_nothing_else(tmp_path: Path) -> None:
    """Temporary files and folders go, landed ones stay."""
    landing.write(tmp_path / "kept" / "file", b"x")
    left = landing.temporary_beside(tmp_path / "kept" / "other")
    left.write_bytes(b"half")
    folder = landing.temporary_beside(tmp_path / "folder")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_bytes(b"half")
    assert landing.sweep(tmp_path) == 2
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / "kept" / "file"]
    assert not folder.exists()
