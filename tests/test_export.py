"""Exports: tables as files that other programs read, whole or not at all, none overwritten."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tests.rows import file_row, land, make_session
from tracklake import compaction, exporting
from tracklake.cli import app
from tracklake.config import Folders
from tracklake.errors import ConfigError


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return the folders of a warehouse with three activities, one with a name to trip over."""
    session = make_session(tmp_path)
    names = ("a, b", 'say "hi"\nand more', "Größe")
    land(session, *(file_row(n, name=name) for n, name in enumerate(names)))
    compaction.compact(session)
    return session.folders


def export(
    folders: Folders, format_: str, to: Path, *tables: str, force: bool = False
) -> list[str]:
    """Export, and return the names of the files."""
    wish = exporting.Wish(format_, tables, to, overwrite=force)
    return [done.path.name for done in exporting.export(folders, wish)]


def test_every_format_has_the_same_rows(folders: Folders, tmp_path: Path) -> None:
    """Parquet, CSV and JSON, read by other programs, hold what the table holds."""
    for format_ in exporting.FORMATS:
        assert export(folders, format_, tmp_path / "out", "activities") == [f"activities.{format_}"]
    with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
        expected = sorted(connection.execute("select id, name from activities").fetchall())
    rows = pq.read_table(tmp_path / "out" / "activities.parquet").to_pylist()
    assert sorted((row["id"], row["name"]) for row in rows) == expected
    with (tmp_path / "out" / "activities.csv").open(encoding="utf-8", newline="") as file:
        assert sorted((int(row["id"]), row["name"]) for row in csv.DictReader(file)) == expected
    lines = (tmp_path / "out" / "activities.json").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line) for line in lines]
    assert sorted((row["id"], row["name"]) for row in objects) == expected


def test_all_tables_and_views_but_the_large_ones_are_exported(
    folders: Folders, tmp_path: Path
) -> None:
    """Without --table come all that people ask; the points come when they are named."""
    names = export(folders, "parquet", tmp_path / "out")
    assert {"activities.parquet", "weekly_totals.parquet", "activity_laps.parquet"} <= set(names)
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert "activity_streams.parquet" not in names
    assert export(folders, "csv", tmp_path / "more", "activity_streams", "activity_tracks") == [
        "activity_streams.csv",
        "activity_tracks.csv",
    ]


def test_nothing_is_overwritten_unless_told_to(folders: Folders, tmp_path: Path) -> None:
    """One file that is there stops the export before anything is written; --force goes on."""
    target = tmp_path / "out"
    target.mkdir()
    (target / "gear.csv").write_text("mine")
    with pytest.raises(ConfigError, match=r"gear\.csv.*--force"):
        export(folders, "csv", target, "activities", "gear")
    assert [path.name for path in target.iterdir()] == ["gear.csv"]
    export(folders, "csv", target, "activities", "gear", force=True)
    assert (target / "gear.csv").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "xlsx"], "parquet, csv, json"),
        (["--format", "csv", "--table", "activitys"], "no such table or view: activitys"),
        (["--format", "csv", "--table", "a' or b"], "no such table or view"),
    ],
)
def test_what_cannot_be_is_said(
    folders: Folders, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """A format or a table that does not exist ends with a sentence, and no file."""
    environment = {"TRACKLAKE_DATA_DIR": str(folders.data)}
    done = CliRunner().invoke(
        app, ["export", "--to", str(tmp_path / "out"), *arguments], env=environment
    )
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_the_command_lists_what_it_wrote(folders: Folders) -> None:
    """Each file is named with its rows; without --to it lies in a folder of the day."""
    environment = {"TRACKLAKE_DATA_DIR": str(folders.data)}
    arguments = ["export", "--format", "json", "--table", "activities"]
    done = CliRunner().invoke(app, arguments, env=environment)
    assert done.exit_code == 0, done.output
    [written] = folders.data.joinpath("exports").glob("*/activities.json")
    assert f"{written}  3 rows" in done.output


def test_a_disk_that_is_full_leaves_no_half_file(folders: Folders, tmp_path: Path) -> None:
    """What cannot be written to the end does not take its name, and a sentence says so."""
    command = (
        f"ulimit -f 0; exec {sys.executable} -m tracklake export --format csv --to {tmp_path}/out"
    )
    done = subprocess.run(
        ["bash", "-c", f"{command} --table activities"],
        env={"TRACKLAKE_DATA_DIR": str(folders.data), "PATH": os.defpath},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("tracklake: activities could not be exported: ")
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_whose_data_it_is_stands_beside_it(folders: Folders, tmp_path: Path) -> None:
    """What has weather or places in it is listed with the attribution that their licences ask."""
    environment = {"TRACKLAKE_DATA_DIR": str(folders.data)}
    for table, credit in (("activity_weather", "Open-Meteo"), ("activity_places", "GeoNames")):
        arguments = ["export", "--format", "csv", "--table", table, "--to", str(tmp_path)]
        done = CliRunner().invoke(app, arguments, env=environment)
        assert credit in done.output
    arguments = ["export", "--format", "csv", "--table", "activities", "--to", str(tmp_path)]
    assert "CC BY" not in CliRunner().invoke(app, arguments, env=environment).output
