"""docs/extending.md shows a sixth source: it is what it says, short, and works in a flow."""

import datetime as dt
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import REPOSITORY
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import MovableClock
from tests.upstream.server import Upstream
from tests.upstream.status_faults import Status
from tracklake import bronze, config, flow, reading
from tracklake.errors import AuthError, SourceError
from tracklake.stages import PullOptions

KEY = "a-key"
PAGE = 50
FIRST_DAY = dt.datetime(2026, 9, 1, 6, tzinfo=dt.UTC)


class Club(Upstream):
    """The club's server: pages of 50 runs, newest first, for who has the key."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.key = KEY
        self.runs: dict[str, dict[str, object]] = {}

    def run(self, number: int, **fields: object) -> str:
        """Add a run, or change it; return its id."""
        began = FIRST_DAY + dt.timedelta(days=number)
        told = {"id": f"r{number}", "began": began.isoformat(), "km": 5.5, "seconds": 1650}
        self.runs[f"r{number}"] = {**told, "title": f"Run {number}", **fields}
        return f"r{number}"

    def answer(self, call: Call) -> Answer:
        """Answer /runs."""
        if call.headers.get("x-key") != self.key:
            return Answer(401, {"error": "key"})
        if call.path != "/runs":
            return Answer(404, {"error": "path"})
        newest = sorted(self.runs.values(), key=lambda run: str(run["began"]), reverse=True)
        first = int(call.query["page"]) * PAGE
        return Answer(payload=newest[first : first + PAGE])


class Place:
    """A data folder whose flows have the sixth source."""

    def __init__(self, folder: Path, club: Club, source: ModuleType) -> None:
        self.folder, self.club, self.source = folder, club, source
        given = {name: folder / name.removesuffix("_dir") for name in _FOLDERS}
        self.settings, self.folders = config.load(**given)
        self.folders.secrets.mkdir()
        self.say_key(KEY)

    def say_key(self, key: str) -> None:
        """Set the source up."""
        told = {"url": self.club.url, "key": key}
        (self.folders.secrets / "striders.json").touch(mode=0o600)
        (self.folders.secrets / "striders.json").write_text(json.dumps(told))

    def pull(self, *, compact: bool = False, **options: Any) -> flow.FlowReport:
        """Pull as the command does; compact after it."""
        report = flow.FlowReport()
        clock = self.club.clock
        with flow.running("pull", self.settings, self.folders, report, clock=clock) as session:
            flow.pull(session, report, options=PullOptions(**options), more=[self.source])
            if compact:
                flow.compact(session, report)
        return report

    def counts(self, **options: Any) -> tuple[int, int, int, int]:
        """Pull, and return how many were new, changed, gone and set aside."""
        report = self.pull(**options)
        assert report.pulls is not None
        made = report.pulls["striders"]
        return made.new, made.changed, made.gone, made.quarantined  # type: ignore[union-attr]

    def files(self) -> dict[str, bytes]:
        """Return every file of bronze."""
        return {str(p): p.read_bytes() for p in self.folders.bronze.rglob("*") if p.is_file()}


_FOLDERS = ("data_dir", "logs_dir", "secrets_dir")


def shown() -> str:
    """Return the code of the document."""
    text = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(code)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[ModuleType]:
    """Return the document's source as a module of its own file."""
    path = tmp_path / "striders.py"
    path.write_text(shown(), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("striders_of_the_document", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def place(tmp_path: Path, source: ModuleType) -> Iterator[Place]:
    """Return a place with 60 runs upstream, on two pages."""
    with Club(clock=MovableClock(tick_s=0.001)) as club:
        for number in range(60):
            club.run(number)
        yield Place(tmp_path, club, source)


def test_it_is_short() -> None:
    """The document says under 100 lines."""
    assert len(shown().splitlines()) < 100


def test_its_runs_are_in_gold(place: Place) -> None:
    """Two pages and the empty one give 60 activities, with their names and numbers."""
    report = place.pull(compact=True)
    assert report.failed_sources == {}
    assert [call.query["page"] for call in place.club.calls] == ["0", "1", "2"]
    with reading.snapshot(place.folders) as connection:
        sql = "select count(*), min(distance), max(moving_time), min(name) from activities"
        assert connection.execute(sql).fetchone() == (60, 5500.0, 1650.0, "Run 0")


def test_a_second_read_is_empty(place: Place) -> None:
    """Nothing new lands nothing; an edit and a new run land those two."""
    assert place.counts() == (60, 0, 0, 0)
    before = place.files()
    assert place.counts() == (0, 0, 0, 0)
    assert place.files() == before
    place.club.run(3, title="Renamed")
    place.club.run(61)
    assert place.counts() == (1, 1, 0, 0)


def test_what_is_gone_becomes_a_tombstone(place: Place) -> None:
    """A run that the list names no more is gone; many at once are looked at a second time."""
    place.pull()
    del place.club.runs["r7"]
    assert place.counts() == (0, 0, 1, 0)
    [path] = bronze.shard_paths(place.folders.bronze, "activity_tombstones")
    assert pq.read_table(path, partitioning=None).column("source_id").to_pylist() == ["r7"]
    place.club.runs.clear()
    assert place.counts() == (0, 0, 0, 0)


def test_one_bad_run_is_set_aside(place: Place) -> None:
    """A run without a start is set aside, and the others land."""
    place.club.run(5, began="some day")
    assert place.counts() == (59, 0, 0, 1)
    place.club.run(5)
    assert place.counts() == (1, 0, 0, 0)


def test_a_wrong_key_and_a_broken_server_stop_no_flow(place: Place) -> None:
    """The flow keeps the failure and says what to do; what came before it stays."""
    place.say_key("wrong")
    failed = place.pull().failed_sources or {}
    assert isinstance(failed["striders"], AuthError)
    assert "put another into secrets/striders.json" in str(failed["striders"])
    place.say_key(KEY)
    place.club.script.add(Status(500), at=range(3, 99))
    failed = place.pull().failed_sources or {}
    assert isinstance(failed["striders"], SourceError)
    place.club.script.clear()
    assert place.counts() == (10, 0, 0, 0)


def test_a_spent_quota_parks_it(place: Place) -> None:
    """Few calls at a time, and too many requests, are no failure; the next pull does the rest."""
    assert place.counts(max_calls=1) == (50, 0, 0, 0)
    place.club.script.add(Status(429, {}), times=1)
    report = place.pull()
    assert report.failed_sources == {}
    place.club.clock.advance(4000)
    place.pull()
    assert sum(pq.read_table(p, partitioning=None).num_rows for p in _shards(place)) == 60


def _shards(place: Place) -> list[Path]:
    return bronze.shard_paths(place.folders.bronze, "activities")
