"""The linter finds each thing that a power cut would punish, in real traces that are spoilt."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import trace_lines
from tests.reliability.sweep_points import CHANGING
from tests.reliability.sweeping import STRACE, may_trace
from tests.reliability.trace_order import violations

_PROGRAM = """
from pathlib import Path
from tracklake import landing
landing.write(Path("data/new/one.bin"), b"one")
landing.write(Path("data/new/two.bin"), b"two")
Path("data/new/three.bin").write_bytes(b"three")
landing.fsync_file(Path("data/new/three.bin"))
landing.fsync_folder(Path("data/new"))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the trace of two files that were landed as all are, and another."""
    folder = tmp_path_factory.mktemp("landed")
    may_trace(folder)
    (folder / "data").mkdir()
    subprocess.run(
        [
            *(*STRACE, str(folder / "trace.txt"), "-e", f"trace={','.join(CHANGING)}"),
            *(sys.executable, "-B", "-c", _PROGRAM),
        ],
        cwd=folder,
        check=True,
        timeout=60,
    )
    return folder


def found(place: Path, spoilt: Callable[[list[str]], list[str]] = list) -> list[str]:
    """Return what is wrong with the trace, or with what was made of it."""
    lines = spoilt((place / "trace.txt").read_text().splitlines())
    calls = trace_lines.calls("\n".join(lines), place)
    return violations(calls, [place / "data"])


def without(*said: str) -> Callable[[list[str]], list[str]]:
    """Return what takes the lines out in which all of this stands."""
    return lambda lines: [line for line in lines if not all(one in line for one in said)]


def test_what_is_landed_is_in_order(place: Path) -> None:
    """The product's own way of landing files breaks no rule."""
    assert found(place) == []


def test_a_file_that_was_not_flushed(place: Path) -> None:
    """Without the fsync of its bytes a name is a violation, and the file is named."""
    [said] = found(place, without("fsync", "one.bin"))
    assert said == f"{place}/data/new/one.bin: its bytes were not flushed before it got its name"


def test_bytes_written_after_the_flush(place: Path) -> None:
    """A write between the fsync and the rename is a violation."""

    def spoilt(lines: list[str]) -> list[str]:
        at = next(index for index, line in enumerate(lines) if "fsync" in line and "two.b" in line)
        written = next(line for line in lines if "write" in line and "two.bin" in line)
        return [*lines[: at + 1], written, *lines[at + 1 :]]

    assert [said.split(": ")[1] for said in found(place, spoilt)] == [
        "its bytes were not flushed before it got its name"
    ]


def test_a_folder_that_was_not_flushed(place: Path) -> None:
    """Without the fsync of the folder, what is written next depends on a name that may be gone."""
    said = found(place, without("fsync", "data/new>"))
    assert any("one.bin" in one and "was not flushed before" in one for one in said)
    assert any("two.bin" in one for one in said)


def test_a_folder_that_is_flushed_too_late(place: Path) -> None:
    """The fsync has to come before the next write, not some time later."""

    def spoilt(lines: list[str]) -> list[str]:
        flushes = [line for line in lines if "fsync" in line and "data/new>" in line]
        return [line for line in lines if line not in flushes] + flushes

    assert len(found(place, spoilt)) == 2


def test_a_new_folder_whose_name_was_not_flushed(place: Path) -> None:
    """A folder that was made, and whose parent was never flushed, is a violation."""
    assert [said.split(": ")[0] for said in found(place, without("fsync", "data>"))] == [
        f"{place}/data/new"
    ]


def test_a_flush_that_failed_is_none(place: Path) -> None:
    """An fsync that ended with an error has flushed nothing."""

    def spoilt(lines: list[str]) -> list[str]:
        return [
            line.replace("= 0", "= -1 EIO (Input/output error)")
            if "fsync" in line and "one.bin" in line
            else line
            for line in lines
        ]

    assert len(found(place, spoilt)) == 1


def test_what_is_thrown_away_needs_no_order(place: Path) -> None:
    """Names within a temporary folder, and files elsewhere, are nobody's loss."""

    def elsewhere(lines: list[str]) -> list[str]:
        kept = without("fsync")(lines)
        return [
            line.replace("data/new/", "data/.landing-x/") for line in kept if "mkdir" not in line
        ]

    assert found(place, elsewhere) == []
