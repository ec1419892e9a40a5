"""The tile maker on a disk that is full or fails: a matter of the disk, not of what was drawn."""

from pathlib import Path

import pytest

from tests.reliability.sweeping import STRACE, may_trace
from tracklake.errors import CheckFailed, StorageError
from tracklake.tiles import drawing

_LINE = (
    '{"type":"Feature","properties":{"id":1},'
    '"geometry":{"type":"LineString","coordinates":[[2.1,41.3],[2.2,41.4]]}}\n'
)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_fails_the_tile_maker(tmp_path: Path, error: str) -> None:
    """A real tippecanoe whose writes fail ends the flow as a failing disk does: code 1, advice."""
    may_trace(tmp_path)
    (tmp_path / "line.json").write_text(_LINE)
    inject = f"inject=pwrite64:error={error}:when=3+"
    command = [
        *(*STRACE, str(tmp_path / "trace.txt"), "-e", "trace=pwrite64", "-e", inject),
        *(str(drawing.tippecanoe()), "-z6", "-o", str(tmp_path / "tiles.pmtiles")),
        str(tmp_path / "line.json"),
    ]
    with pytest.raises(StorageError, match=r"could not write there: .+; make room") as raised:
        drawing.run(command, tmp_path, lambda: False)
    assert raised.value.exit_code == 1


def test_another_failure_of_the_tile_maker(tmp_path: Path) -> None:
    """What is not about the disk stays a check that failed: the map of yesterday stays."""
    with pytest.raises(CheckFailed, match="ended with code"):
        drawing.run([str(drawing.tippecanoe()), "--nonsense"], tmp_path, lambda: False)
