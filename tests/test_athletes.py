"""Several athletes on one machine: what is one's is never reached as the other."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.serving_place import served
from tests.sources.inbox import fit_bytes
from tests.test_cli import run as tracklake
from tracklake import athletes, config, reading
from tracklake.config import Folders
from tracklake.errors import ConfigError
from tracklake.narrowing import Part
from tracklake.serving.application import Site
from tracklake.serving.guard import Hosts

_DAYS = {"me": (1, 2, 3), "anna": (3, 4)}  # on the third day both ran the very same


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder after one flow of two athletes."""
    folder = tmp_path_factory.mktemp("household")
    inboxes = {"me": folder / "data/inbox", "anna": folder / "data/inbox/athlete=anna"}
    for athlete, inbox in inboxes.items():
        inbox.mkdir(parents=True, exist_ok=True)
        for day in _DAYS[athlete]:
            (inbox / f"{day}.fit").write_bytes(fit_bytes(day))
    done = tracklake(folder, "flow", "--all-athletes")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("—")] == ["— me", "— anna"]
    return folder


@pytest.fixture
def at(place: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Folders]:
    """Return what gives the folders of an athlete there."""
    for name in ("DATA", "LOGS", "SECRETS"):
        monkeypatch.setenv(f"TRACKLAKE_{name}_DIR", str(place / name.lower()))
    return lambda athlete: config.load(athlete=athlete)[1]


def test_each_gets_only_their_own_files(place: Path) -> None:
    """The same file in two inboxes is an activity of each; nobody gets another's."""
    with duckdb.connect(str(place / "data/warehouse/tracklake.duckdb"), read_only=True) as lake:
        rows = lake.execute("select athlete, count(*) from activities group by 1").fetchall()
        assert dict(rows) == {"me": 3, "anna": 2}
        ids = lake.execute("select count(distinct id) from activities").fetchall()
        assert ids == [(5,)]


def test_tiles_are_apart(place: Path) -> None:
    """Each athlete's manifest counts their own tracks, in a folder of their own."""
    counts = {}
    for athlete, folder in (("me", ""), ("anna", "athlete=anna")):
        manifest = json.loads((place / "data/tiles" / folder / "manifest.json").read_text())
        counts[athlete] = sum(
            one["count"] for one in manifest["tracks"] if one["kind"] in ("year", "recent")
        )
    assert counts == {"me": 3, "anna": 2}


def test_a_part_is_what_the_whole_has_of_one(at: Callable[[str], Folders]) -> None:
    """Every table and view narrowed to one athlete has the whole's rows of that athlete."""
    folders = at("anna")
    with duckdb.connect(str(folders.warehouse), read_only=True) as lake:
        ids = {
            one
            for (one,) in lake.execute("select id from activities where athlete = 'me'").fetchall()
        }
        named = lake.execute(
            "select table_name, list(column_name) from duckdb_columns() "
            "where not internal group by 1"
        ).fetchall()
        whole = {
            name: lake.execute(f"select count(*) from {name} where athlete = 'anna'").fetchall()  # noqa: S608
            for name, columns in named
            if "athlete" in columns
        }
    with reading.snapshot(folders, part=Part(athlete="anna")) as lake:
        for name, counted in whole.items():
            assert lake.execute(f"select count(*) from {name}").fetchall() == counted, name  # noqa: S608
        for name, columns in named:
            if "activity_id" in columns:
                found = lake.execute(f"select distinct activity_id from {name}").fetchall()  # noqa: S608
                assert not ids & {one for (one,) in found}, name
        points = lake.execute("select count(*) from activity_streams").fetchall()
        assert (
            points == lake.execute("select sum(point_count) from activities").fetchall() != [(0,)]
        )
        for table in ("shards", "stream_facts", "track_tiles"):
            assert 0 < lake.execute(f"select count(*) from {table}").fetchall()[0][0] <= 4, table  # noqa: S608
    assert len(whole) > 30


def test_a_query_of_one_reaches_nobody_else(place: Path) -> None:
    """`sql --athlete` answers about one; the whole is attached under a name that changes."""
    counted = tracklake(
        place, "sql", "--athlete", "anna", "--csv", "select count(*) from activities"
    )
    assert counted.stdout.splitlines()[-1] == "2"
    told = tracklake(
        place, "sql", "--athlete", "anna", "--csv",
        "select database_name from duckdb_databases() where database_name like 'whole%'",
    )  # fmt: skip
    name = told.stdout.splitlines()[-1]
    query = f"from {name}.main.activities"
    refused = tracklake(place, "sql", "--athlete", "anna", query)
    assert refused.returncode == 2
    assert "does not exist" in refused.stderr


@pytest.mark.parametrize(
    "query",
    [
        "select * from query('select * from ' || (select database_name from duckdb_databases() "
        "where database_name like 'whole%') || '.activities')",
        "select * from query_table((select database_name || '.main.activities' "
        "from duckdb_databases() where database_name like 'whole%'))",
        "attach '{path}' as again",
        "select * from read_blob('{path}')",
        "select * from read_parquet('{streams}/athlete=me/*.parquet')",
        "select * from read_parquet('{streams}/*/*.parquet')",
        "select * from read_blob('/dev/fd/*')",
        "select * from read_blob('/proc/self/fd/*')",
    ],
)
def test_no_detour_leads_to_another(at: Callable[[str], Folders], query: str) -> None:
    """A name that is put together within the query, and the file itself, are refused."""
    folders = at("anna")
    text = query.format(path=folders.warehouse, streams=folders.streams)
    with (
        reading.snapshot(folders, part=Part(athlete="anna")) as lake,
        pytest.raises(ConfigError, match=r"\w"),
    ):
        reading.ask(lake, text, limit_s=9, most_rows=9)


def test_an_export_of_one(place: Path, tmp_path: Path) -> None:
    """`export --athlete` writes one athlete's rows; sources that may not leave are left out."""

    def exported(*more: str, **settings: str) -> list[dict[str, object]]:
        to = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        done = tracklake(
            place, "export", "--format", "json", "--table", "activities", "--to", str(to), *more,
            **settings,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in (to / "activities.json").read_text().splitlines()]

    assert {row["athlete"] for row in exported()} == {"me", "anna"}
    assert [row["athlete"] for row in exported("--athlete", "anna")] == ["anna", "anna"]
    assert exported(TRACKLAKE_NOT_EXPORTED="files") == []


def test_the_map_shows_one(at: Callable[[str], Folders]) -> None:
    """A track of another athlete is not there, under whatever id it is asked for."""
    with reading.snapshot(at("me")) as lake:
        ids = dict(lake.execute("select athlete, min(id) from activities group by 1").fetchall())
    for athlete, other in (("me", "anna"), ("anna", "me")):
        with served(Site(folders=at(athlete), hosts=Hosts.of("127.0.0.1"))) as ask:
            assert ask(f"/activities/{ids[athlete]}/track").status == 200
            assert ask(f"/activities/{ids[other]}/track").status == 404


def test_settings_of_one_start_nobody_elses_login(tmp_path: Path) -> None:
    """Another athlete's keys come from files in their own folder of secrets only."""
    own = tmp_path / "secrets" / "anna"
    own.mkdir(parents=True)
    (own / "INTERVALS_API_KEY").touch(mode=0o600)
    (own / "INTERVALS_API_KEY").write_text("hers\n")
    shown = {}
    for athlete in ("me", "anna", "bob"):
        settings, folders = config.load(
            secrets_dir=tmp_path / "secrets", data_dir=tmp_path, athlete=athlete
        )
        key = settings.intervals_api_key
        shown[athlete] = key.get_secret_value() if key else None
    assert shown == {"me": None, "anna": "hers", "bob": None}
    assert athletes.known(folders) == ["me", "anna"]


def test_one_that_fails_stops_nobody_else(tmp_path: Path) -> None:
    """The others' flows run; the exit code is the failure's, and the output names the athlete."""
    for name in ("data/inbox", "data/inbox/athlete=zoe", "secrets/anna"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "data/inbox/1.fit").write_bytes(fit_bytes(1))
    (tmp_path / "data/inbox/athlete=zoe/2.fit").write_bytes(fit_bytes(2))
    (tmp_path / "secrets/anna/INTERVALS_API_KEY").touch(mode=0o600)
    (tmp_path / "secrets/anna/INTERVALS_API_KEY").write_text("k")
    done = tracklake(tmp_path, "flow", "--all-athletes", INTERVALS_API_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "tracklake: anna: " in done.stderr
    with duckdb.connect(str(tmp_path / "data/warehouse/tracklake.duckdb"), read_only=True) as lake:
        found = lake.execute("select distinct athlete from activities order by 1").fetchall()
        assert found == [("me",), ("zoe",)]


def test_one_or_all_but_not_both(tmp_path: Path) -> None:
    """Naming an athlete and asking for all is a mistake that is said."""
    done = tracklake(tmp_path, "flow", "--all-athletes", "--athlete", "anna")
    assert done.returncode == 2
    assert "not both" in done.stderr


def test_status_counts_what_is_ones_own(place: Path) -> None:
    """`status --athlete` says how much that athlete has, and names whose the other sessions are."""
    counts = {"me": 3, "anna": 2}
    for athlete, count in counts.items():
        done = tracklake(place, "status", "--athlete", athlete)
        assert done.stdout.startswith(f"{count} activities"), done.stdout
    assert " me: flow" in done.stdout


def test_nobody_is_forgotten_by_a_slip(place: Path) -> None:
    """`forget` for a name that nobody has says who is here, and removes and makes nothing."""
    done = tracklake(place, "forget", "--source", "files", "--athlete", "ana", "--yes")
    assert done.returncode == 2
    assert "there are: me, anna" in done.stderr
    assert not (place / "data/tiles/athlete=ana").exists()
