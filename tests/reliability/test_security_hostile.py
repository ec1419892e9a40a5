"""Files and answers that mean harm, by the real commands: bounded, named, nothing else lost."""

import contextlib
import csv
import datetime as dt
import gzip
import io
import json
import os
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import CORPUS
from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import opened
from tests.sources.test_files_hostile import definition_bomb
from tests.upstream.calls import Answer, Call
from tests.upstream.faults import Fault
from tracklake import reading
from tracklake.config import Folders
from tracklake.errors import ConfigError, Error
from tracklake.garmin import records as garmin
from tracklake.intervals import days, parts
from tracklake.intervals import records as intervals
from tracklake.json_text import parse
from tracklake.places import nominatim
from tracklake.smashrun import recordings, splits
from tracklake.smashrun import records as smashrun
from tracklake.strava import facts, stream_sets, strict
from tracklake.strava import records as strava
from tracklake.weather import answers as weather
from tracklake.weather.bundles import Span

MOST_MEMORY_BYTES = 1_000_000_000
MOST_S = 120.0
CONTRACTS = CORPUS.parent / "contracts"
_SECRET = "a-secret-of-this-machine"  # noqa: S105 made up


# ---- bombs


def zip_of(members: dict[str, bytes]) -> bytes:
    """Write an archive."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return memory.getvalue()


def lying(members: dict[str, bytes]) -> bytes:
    """Write an archive whose directory says that each member unpacks to ten bytes."""
    data = bytearray(zip_of(members))
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 24 : at + 28] = struct.pack("<L", 10)
    return bytes(data)


def bombs(outside: Path) -> dict[str, bytes]:
    """Return files that mean harm, by name."""
    zeros = bytes(96 << 20)
    entities = '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    external = f'<!DOCTYPE gpx [<!ENTITY x SYSTEM "file://{outside}">]><gpx><name>&x;</name></gpx>'
    nested = zip_of({"a.fit": fit_bytes(8)})
    for level in range(5):
        nested = zip_of({f"{level}.zip": nested})
    return {
        "ratio.zip": zip_of({"bomb.fit": zeros}),
        "lying.zip": lying({"bomb.gpx": b"<gpx>" + zeros}),
        "nested.zip": nested,
        "laughs.gpx": f"{entities}]><gpx>&j;</gpx>".encode(),
        "external.gpx": external.encode(),
        "deep.tcx": b"<TrainingCenterDatabase>" + b"<a>" * 200_000,
        "deep.gpx": b"<gpx>" + b"<trk>" * 200_000 + b"</trk>" * 200_000 + b"</gpx>",
        "bomb.fit.gz": gzip.compress(zeros),
        "header.fit": struct.pack("<BBHL4s", 12, 32, 2100, 0xFFFFFFFF, b".FIT") + bytes(1000),
        "definitions.fit": definition_bomb(),
        "json.gpx": b"[" * 5_000_000,
        "good.fit": fit_bytes(1),
        "good.zip": zip_of({"good.fit": fit_bytes(2)}),
    }


class Meter(threading.Thread):
    """Adds up the memory that a process and all that it started hold, again and again."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.most_bytes = 0
        self._root = root
        self._ended = threading.Event()

    def run(self) -> None:
        """Measure until told to end."""
        while not self._ended.wait(0.05):
            self.most_bytes = max(self.most_bytes, sum(map(held_bytes, tree(self._root))))

    def end(self) -> int:
        """Stop; return the most that was held."""
        self._ended.set()
        self.join()
        return self.most_bytes


def tree(root: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield root
    try:
        for thread in Path(f"/proc/{root}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from tree(int(child))
    except OSError:  # it has ended
        return


def held_bytes(process: int) -> int:
    """Return a process's share of memory: what several share counts once."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def run(folder: Path, *words: str) -> tuple[int, str, int]:
    """Run a command; return its exit code, what it said and the most memory all of it held."""
    given_ = os.environ  # noqa: TID251 a child needs some of it
    environment = {name: given_[name] for name in ("PATH", "PYTHONPATH") if name in given_}
    process = subprocess.Popen(
        [sys.executable, "-m", "tracklake", *words],
        cwd=folder,
        env=environment | {"TRACKLAKE_WEATHER": "off", "TRACKLAKE_SOURCES": "files"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    meter = Meter(process.pid)
    meter.start()
    said, _ = process.communicate(timeout=MOST_S)
    return process.returncode, said, meter.end()


@pytest.mark.parametrize("words", [("import", "elsewhere"), ("pull",)], ids=["import", "pull"])
def test_bombs_cost_an_entry_each(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Every bomb is one entry with a reason, good files land, under 1 GB and within two minutes."""
    outside = tmp_path / "secrets" / "STRAVA_CLIENT_SECRET"
    outside.parent.mkdir(mode=0o700)
    outside.touch(mode=0o600)
    outside.write_text(_SECRET)
    inbox = tmp_path / ("data/inbox" if words == ("pull",) else "elsewhere")
    inbox.mkdir(parents=True)
    harmful = bombs(outside)
    for name, content in harmful.items():
        (inbox / name).write_bytes(content)
    began_s = time.monotonic()
    code, said, most_bytes = run(tmp_path, *words)
    assert code == 0, said
    assert time.monotonic() - began_s < MOST_S
    assert 0 < most_bytes < MOST_MEMORY_BYTES
    _, listed, _ = run(tmp_path, "quarantine", "list", "--json")
    aside = {Path(item["item"]).name.split("!")[0] for item in json.loads(listed)}
    harmless = {"good.fit", "good.zip"}
    salvaged = {"definitions.fit"}  # what it says before it turns bad is kept
    assert aside == harmful.keys() - harmless - salvaged
    assert "3 new, 1 salvaged" in said
    assert "Traceback" not in said
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not any(_SECRET.encode() in path.read_bytes() for path in kept)
    assert not list(tmp_path.rglob("*.part"))


# ---- SQL


SECRET_QUERIES = (
    "select * from read_text('{secrets}/*')",
    "select * from glob('{secrets}/*')",
    "select * from read_blob('{secrets}/STRAVA_CLIENT_SECRET')",
    "select * from read_csv('{secrets}/STRAVA_CLIENT_SECRET')",
    "from '{secrets}/STRAVA_CLIENT_SECRET'",
    "select * from read_text('{streams}/../../secrets/STRAVA_CLIENT_SECRET')",
    "select * from read_json('/proc/self/environ')",
    "select getenv('HOME')",
    "select * from sqlite_scan('{data}/state/tracklake.sqlite', 'sessions')",
    "attach '{data}/state/writer.duckdb' as w",
    "copy (select 1) to '{streams}/evil.csv'",
    "create temp table t as select 1",
    "create secret s (type s3, key_id 'a', secret 'b')",
    "set allowed_directories = ['/']",
    "reset enable_external_access",
    "set lock_configuration = false",
    "pragma database_list; select 1",
    "call pragma_version(); drop table activities",
    "load '/tmp/evil.duckdb_extension'",
    "export database '{streams}'",
    "with x as (select * from read_text('/etc/passwd')) from x",
    "prepare p as select * from read_text('/etc/passwd')",
)


@pytest.mark.parametrize("query", SECRET_QUERIES)
def test_no_query_reaches_out(sample_lake: Folders, query: str) -> None:
    """Neither secrets, nor the state, nor the environment, nor any other file, nor a write."""
    secret = sample_lake.secrets / "STRAVA_CLIENT_SECRET"
    secret.parent.mkdir(mode=0o700, exist_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(_SECRET)
    told = query.format(
        secrets=sample_lake.secrets, streams=sample_lake.streams, data=sample_lake.data
    )
    before = sorted(sample_lake.data.rglob("*"))
    with pytest.raises(ConfigError, match=r"\w") as refused, reading.snapshot(sample_lake) as gold:
        reading.ask(gold, told, limit_s=20, most_rows=100)
    assert _SECRET not in str(refused.value)
    assert sorted(sample_lake.data.rglob("*")) == before


def test_the_command_stops_a_runaway_query(sample_lake: Folders) -> None:
    """A join without an end is interrupted after its second, and the exit code says so."""
    given_ = os.environ  # noqa: TID251 a child needs some of it
    environment = {name: given_[name] for name in ("PATH", "PYTHONPATH") if name in given_}
    began_s = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tracklake", "sql", "--limit-s", "1"),
            "select count(*) from range(1000000000) a, range(1000000000) b",
        ],
        cwd=sample_lake.data.parent,
        env=environment | {"TRACKLAKE_DATA_DIR": str(sample_lake.data)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "stopped after 1 s" in done.stderr
    assert time.monotonic() - began_s < 30


# ---- answers of services


class Raw(Fault):
    """An answer of these bytes, whatever was asked."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def spoil_answer(self, answer: Answer, call: Call, dice: Any) -> Answer:  # noqa: ARG002
        if not call.path.endswith("/athlete/activities"):
            return answer
        return Answer(200, raw=self.body, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'[{"a":' * 100_000 + b"1" + b"}]" * 100_000,
        b"[" + b"9" * 100_000 + b"]",
        b"[NaN, Infinity, -Infinity]",
        b"[" + b" " * (17 << 20) + b"]",
        b'[{"id": ' + b"9" * 5000 + b', "start_date": "2026-11-01T00:00:00Z"}]',
        b'{"message": "not a list"}',
        b'[{"id": 1e400, "start_date": 1e400}]',
    ],
    ids=["deep", "deep objects", "a number", "NaN", "17 MiB", "an id", "an object", "1e400"],
)
def test_json_bombs_are_one_sentence_or_set_aside(tmp_path: Path, body: bytes) -> None:
    """A list that is a bomb ends as an error of ours, or costs an entry; nothing else falls."""
    with opened(tmp_path, activities=2, points=5) as place:
        place.upstream.script.add(Raw(body), times=4)
        with contextlib.suppress(Error):
            place.pull()
        place.upstream.script.clear()
        place.advance(hours=2)
        place.pull(everything=True)
        assert place.landed_differences() == []


# ---- mutations of what services really sent

_START_S = 1_700_000_000.0
Taker = Callable[[Any, bytes], object]


def details(value: Any, body: bytes) -> object:
    """Read details as the enrichment does: the strict way, then the lenient one."""
    strict.detail(body, "me", all_efforts=True)
    return facts.detail(value, "me", all_efforts=True) if isinstance(value, dict) else None


def pieces(value: Any, marks: frozenset[str]) -> Iterator[Any]:
    """Yield the objects with a mark out of a recording, however deep they lie in it."""
    if isinstance(value, str) and value[:1] in "[{":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict) and marks & value.keys():
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from pieces(one, marks)


def recorded(pattern: str, marks: str) -> list[Any]:
    """Return the objects with one of the marks in all recordings of a kind."""
    found: list[Any] = []
    for path in sorted(CONTRACTS.glob(pattern)):
        if path.suffix == ".json":
            found += pieces(json.loads(path.read_bytes()), frozenset(marks.split()))
    return found


_SPAN = Span(46.1, 14.5, dt.date(2026, 6, 14), dt.date(2026, 6, 15))
_LATER = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
TAKERS: dict[str, tuple[str, str, Taker]] = {  # by name: files, fields that mark an object, reader
    "strava list": ("strava/recorded/*", "moving_time", lambda v, _: strava.listed(v, "me")),
    "strava details": ("strava/recorded/activity*", "splits_metric", details),
    "strava streams": (
        *("strava/*streams*", "latlng time"),
        lambda v, _: stream_sets.decode(v, _START_S),
    ),
    "intervals list": (
        "intervals/samples/*",
        "moving_time",
        lambda v, _: intervals.listed(v, "me"),
    ),
    "intervals days": ("intervals/samples/*wellness*", "ctl", lambda v, _: days.day(v, "me")),
    "intervals parts": (
        *("intervals/samples/*", "icu_intervals moving_time"),
        lambda v, b: parts.row("me", "i1", 200, b) if isinstance(v, dict) else None,
    ),
    "garmin list": ("garmin/recorded/*", "startTimeGMT", lambda v, _: garmin.listed(v, "me")),
    "smashrun list": ("smashrun/samples/*", "activityId", lambda v, _: smashrun.listed(v, "me")),
    "smashrun points": (
        *("smashrun/samples/*", "recordingKeys"),
        lambda v, _: recordings.points(v, _START_S),
    ),
    "smashrun laps": ("smashrun/samples/*", "laps", lambda v, _: recordings.laps(v, _START_S)),
    "smashrun splits": (
        *("smashrun/samples/splits*", "seconds"),
        lambda v, _: splits.splits([v, v, v], 1000.0),
    ),
    "nominatim": (
        *("geo/samples/*", "address"),
        lambda _, b: nominatim.read(b, 48_137, 11_575),
    ),
    "weather": (
        *("open-meteo/samples/*", "hourly"),
        lambda v, _: weather.rows(v, "archive", _SPAN, _LATER),
    ),
    "weather errors": (
        *("open-meteo/samples/*", "reason"),
        lambda _, b: (weather.reason(b), weather.refused_window_s(b)),
    ),
}
_ODD: tuple[Any, ...] = (
    *(None, True, "", "x", "\0", "nan", "\u202e", -1, 0, 2**63, 2**200, 1e308, -1e308, [], {}),
    *(float("nan"), float("inf"), [None], [[]], {"a": 1}, "2026-13-40T99:00:00Z", [1, "2", None]),
)


def spoilt(value: Any, data: st.DataObject) -> Any:
    """Put something odd in place of a value somewhere in it, take it away, or let it be."""
    if not isinstance(value, list | dict) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(st.sampled_from(_ODD))
    key = data.draw(
        st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value)))
    )
    copied: Any = value.copy()
    if data.draw(st.integers(0, 9)) == 0:
        del copied[key]
    else:
        copied[key] = spoilt(copied[key], data)
    return copied


@pytest.mark.parametrize("name", sorted(TAKERS))
def test_mutations_of_real_answers_raise_only_our_errors(corpus: Path, name: str) -> None:
    """Whatever is changed in an answer, reading it gives rows or one of errors.py's classes."""
    assert corpus.is_dir()
    pattern, marks, take = TAKERS[name]
    bodies = recorded(pattern, marks)
    assert bodies, pattern

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def tried(data: st.DataObject) -> None:
        value = data.draw(st.sampled_from(bodies))
        for _ in range(data.draw(st.integers(0, 4))):
            value = spoilt(value, data)
        body = json.dumps(value).encode()
        read = parse(body)
        with contextlib.suppress(Error):
            take(read if isinstance(read, dict) else {}, body)

    tried()


def test_what_a_csv_says_is_quoted(sample_lake: Folders) -> None:
    """A value with commas and line ends is one field of `sql --csv`, so no row can be forged."""
    from contextlib import redirect_stdout

    from tracklake import cli_show

    out = io.StringIO()
    with reading.snapshot(sample_lake) as gold:
        answer = reading.ask(gold, "select 'a,b\n\"c\"' as x", limit_s=20, most_rows=5)
    with redirect_stdout(out):
        cli_show.answer(answer, as_csv=True)
    assert list(csv.reader(io.StringIO(out.getvalue()))) == [["x"], ['a,b\n"c"']]
