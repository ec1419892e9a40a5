"""Full-resolution tracks from the map's server, over real HTTP and a real warehouse."""

import dataclasses
import gzip
import json
import math
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.serving_place import served
from tracklake import config, reading
from tracklake.config import Folders
from tracklake.serving.application import Site
from tracklake.serving.guard import Hosts

# How far what is shown may be from what is kept.
ROUNDED = {
    "lng": 1e-7,
    "lat": 1e-7,
    "time_s": 0.01,
    "distance_m": 0.1,
    "altitude_m": 0.1,
    "velocity_mps": 0.001,
    "heartrate_bpm": 0.1,
    "grade_pct": 0.01,
}


@pytest.fixture(scope="module")
def sample_site(sample_lake: Folders) -> Site:
    """Return what a flow over the sample athlete made."""
    return Site(folders=sample_lake, hosts=Hosts.of("127.0.0.1"))


def test_a_track_is_what_the_warehouse_says(sample_site: Site) -> None:
    """Every point of the longest activity comes, in columns, in order; unknown is null."""
    with reading.snapshot(sample_site.folders) as lake:
        [(activity_id, name)] = lake.execute(
            "select id, name from activities order by point_count desc limit 1"
        ).fetchall()
        gold = lake.execute(
            f"select {', '.join(ROUNDED)} from activity_streams where activity_id = ? "  # noqa: S608
            "order by point_index",
            [activity_id],
        ).fetchall()
    with served(sample_site) as ask:
        answer = ask(f"/activities/{activity_id}/track", Accept_Encoding="gzip")
    track = json.loads(gzip.decompress(answer.body))
    assert (track["id"], track["name"]) == (activity_id, name)
    assert list(track["points"]) == list(ROUNDED)
    for kept, shown, off in zip(
        zip(*gold, strict=True), track["points"].values(), ROUNDED.values(), strict=True
    ):
        assert len(kept) == len(shown) > 1000
        for was, now in zip(kept, shown, strict=True):
            assert (was is None) == (now is None)
            assert was is None or math.isclose(was, now, rel_tol=0, abs_tol=off)


def test_an_activity_without_points_has_empty_columns(sample_site: Site) -> None:
    """What was typed in by hand has a name and figures, and no points."""
    with reading.snapshot(sample_site.folders) as lake:
        [(activity_id,)] = lake.execute(
            "select id from activities where coalesce(point_count, 0) = 0 limit 1"
        ).fetchall()
    with served(sample_site) as ask:
        track = ask(f"/activities/{activity_id}/track").json
    assert track["points"] == {name: [] for name in ROUNDED}


@pytest.mark.parametrize("wanted", ["1", "-1", "1e3", "9" * 19, "9" * 5000, "x", "1%2f..%2f2"])
def test_an_unknown_activity_has_no_track(sample_site: Site, wanted: str) -> None:
    """An id that is not there, or that is none, is answered with 404."""
    with served(sample_site) as ask:
        assert ask(f"/activities/{wanted}/track").status == 404


def test_a_new_snapshot_is_noticed_and_none_is_held(sample_site: Site, tmp_path: Path) -> None:
    """A warehouse that is published while the server runs is read; nothing keeps the file open."""
    _, folders = config.load(data_dir=tmp_path / "data")
    folders.warehouse.parent.mkdir(parents=True)
    shutil.copy2(sample_site.folders.warehouse, folders.warehouse)
    shutil.copytree(sample_site.folders.streams, folders.streams)
    with duckdb.connect(sample_site.folders.warehouse, read_only=True) as lake:
        [(activity_id,)] = lake.execute("select max(id) from activities").fetchall()
    path = f"/activities/{activity_id}/track"
    with served(dataclasses.replace(sample_site, folders=folders)) as ask:
        moved = ask(path)  # its views lead to where it was published
        replacement = tmp_path / "new.duckdb"
        shutil.copy2(folders.warehouse, replacement)
        replacement.chmod(0o644)
        with duckdb.connect(replacement) as lake:
            lake.execute("delete from activities where id = ?", [activity_id])
        replacement.replace(folders.warehouse)
        gone = ask(path)
        with duckdb.connect(folders.warehouse) as lake:  # would fail if the server held it
            lake.execute("checkpoint")
    assert (moved.status, gone.status) == (503, 404)
    assert "tracklake compact" in str(moved.json["error"])
