"""One data folder under two versions of DuckDB; CI asks for it where both are there (.ci/run)."""

from pathlib import Path

import pytest

from tests.upgrades.test_upgrades import activities, formats, place, run

__all__ = ["formats"]  # the fixture

NEWER_DUCKDB = Path(__file__).parents[2] / "build" / "duckdb-2"


@pytest.mark.parametrize("first", ["newer", "this"])
def test_duckdb_up_and_down(formats: Path, tmp_path: Path, first: str) -> None:
    """What one version of DuckDB wrote the other adds to, up and down, and nothing is lost."""
    assert NEWER_DUCKDB.is_dir(), (
        "there is no second DuckDB in build/duckdb-2; .ci/run puts it there"
    )
    data = place(formats, "sources-4", tmp_path)
    (data / "inbox").mkdir()
    [walk] = (data / "bronze").rglob("*.gpx")
    expected = len(activities(data))
    for day, with_newer in enumerate((first == "newer", first != "newer", first == "newer"), 11):
        track = walk.read_text().replace("2024-05-01T", f"2024-05-{day}T")
        (data / "inbox" / f"{day}.gpx").write_text(track)
        done = run(data, "flow", **({"PYTHONPATH": str(NEWER_DUCKDB)} if with_newer else {}))
        assert done.returncode == 0, done.stderr
        expected += 1
        assert len(activities(data)) == expected
    proved = run(data, "compact", "--rebuild", "--verify")
    assert proved.returncode == 0, proved.stderr
    assert len(activities(data)) == expected
