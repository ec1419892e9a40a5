"""A place to try the Strava source in: its simulator, a data folder, and a comparison of the two.

`Place` pulls, enriches and compacts as the commands do, in one process and on the simulator's
clock; `differences` says where gold is not what the simulator holds to be true.
"""

import contextlib
import dataclasses
import datetime as dt
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from tests.upstream.activities import Payload
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.strava import StravaUpstream
from tracklake import bronze, compaction, config, flow, reading
from tracklake.compaction import CompactReport
from tracklake.config import Folders, Settings
from tracklake.enrichments import stage
from tracklake.session import SyncSession
from tracklake.sources import strava
from tracklake.stages import EnrichOptions, EnrichReport, ListReport, PullOptions
from tracklake.state import State
from tracklake.tokens import Token, TokenStore, path_of

LISTING = "/athlete/activities"
DAY_S = 86_400.0
HOUR_S = 3_600.0
NEVER_S = 4_102_444_800  # 2100-01-01: a login that nobody has to renew

# What the list says and gold keeps under the same name, as it was sent.
SAME_NAMES = (
    *("name", "sport_type", "distance", "moving_time", "elapsed_time", "total_elevation_gain"),
    *("elev_high", "elev_low", "average_speed", "max_speed", "average_heartrate", "max_heartrate"),
    *("average_watts", "max_watts", "weighted_average_watts", "kilojoules", "device_watts"),
    *("average_cadence", "average_temp", "suffer_score", "workout_type", "gear_id", "visibility"),
    *("kudos_count", "comment_count", "athlete_count", "achievement_count", "pr_count"),
    *("commute", "trainer", "manual", "device_name"),
)


def examples(usual: int) -> int:
    """Return how many examples Hypothesis is to try: TRACKLAKE_EXAMPLES times the usual number."""
    return int(usual * float(os.environ.get("TRACKLAKE_EXAMPLES", "1")))  # noqa: TID251 of tests only


@dataclasses.dataclass(slots=True)
class Place:
    """One data folder of one athlete at one simulator.

    `renews`: whether there is a login that never ends (a refresh runs in a process of its own and
    takes a third of a second).
    """

    folder: Path
    upstream: StravaUpstream
    athlete: str = "me"
    renews: bool = True
    per_page: int = 200
    settings_given: dict[str, object] = dataclasses.field(default_factory=dict)
    _loaded: dict[tuple[str, ...], tuple[Settings, Folders]] = dataclasses.field(
        default_factory=dict, repr=False
    )

    @property
    def clock(self) -> MovableClock:
        """Return the clock that the simulator and the client share."""
        clock = self.upstream.clock
        assert isinstance(clock, MovableClock)
        return clock

    def advance(self, *, days: float = 0.0, hours: float = 0.0, seconds: float = 0.0) -> None:
        """Let time pass."""
        self.clock.advance(days * DAY_S + hours * HOUR_S + seconds)

    # ---- who we are

    def load(self) -> tuple[Settings, Folders]:
        """Return settings and folders as the commands get them."""
        wanted = (self.athlete, self.upstream.url, repr(self.settings_given))
        if wanted not in self._loaded:
            self._loaded[wanted] = config.load(**self.given())
        return self._loaded[wanted]

    def given(self) -> dict[str, object]:
        """Return what is set for this place, ready for JSON: another process may load it."""
        return {
            "data_dir": str(self.folder / "data"),
            "logs_dir": str(self.folder / "logs"),
            "secrets_dir": str(self.folder / "secrets"),
            "athlete": self.athlete,
            "strava_api_url": self.upstream.api_url,
            "strava_oauth_url": self.upstream.oauth_url,
            "strava_client_id": self.upstream.tokens.client_id,
            "strava_client_secret": self.upstream.tokens.client_secret,
            **self.settings_given,
        }

    @property
    def folders(self) -> Folders:
        """Return where things lie."""
        return self.load()[1]

    @property
    def token_path(self) -> Path:
        """Return where the login is kept."""
        folders = self.folders
        return path_of(folders.secrets, "strava", self.athlete, folders.default_athlete)

    def log_in(self, *, expires_at_s: int = NEVER_S, lives_for_ever: bool = False) -> str:
        """Keep a login, which the simulator accepts for six hours; return its access token."""
        if lives_for_ever:
            self.upstream.tokens.lifetime_s = NEVER_S - self.clock.now().timestamp()
        access_token = self.upstream.access_token()
        store = TokenStore(
            self.token_path,
            grant=strava_grant(self.upstream),
            clock=self.clock,
            explain=lambda status, body: _unexpected(status, body),
        )
        store.save(
            Token(
                access_token=access_token,
                refresh_token=self.upstream.tokens.refresh_token,
                expires_at=expires_at_s,
                scope=",".join(sorted(self.upstream.tokens.scopes)),
            )
        )
        return access_token

    def _stay_logged_in(self) -> None:
        if self.renews and not self.token_path.exists():
            self.log_in(lives_for_ever=True)

    # ---- what the commands do

    @contextlib.contextmanager
    def session(self) -> Iterator[SyncSession]:
        """Open a session of its own, as a command does, without lock and signals."""
        self._stay_logged_in()
        settings, folders = self.load()
        with contextlib.closing(State(folders.state)) as state:
            yield SyncSession(
                flow="test",
                athlete=self.athlete,
                settings=settings,
                folders=folders,
                clock=self.clock,
                state=state,
            )

    def pull(self, **options: Any) -> ListReport:
        """Run `tracklake pull` on Strava; `options` are those of PullOptions."""
        with self.session() as session:
            wanted = PullOptions(**{"per_page": self.per_page} | options)
            return strava.pull(session, options=wanted)

    def reconcile(self, **options: Any) -> ListReport:
        """Read the whole list anew, from its beginning, as is done weekly."""
        self.make_reconcile_due()
        return self.pull(**options)

    def make_reconcile_due(self) -> None:
        """Let the next pull read the whole list, wherever others ended."""
        for fact in ("reconciled", "walk:full", "walk:new", "seen_*", "all_but_new"):
            self.forget_fact(fact)

    def enrich(self, **options: Any) -> EnrichReport:
        """Run `tracklake enrich`; `options` are those of EnrichOptions."""
        with self.session() as session:
            return stage.enrich(session, EnrichOptions(**options))

    def compact(self, *, rebuild: bool = False, verify: bool = False) -> CompactReport:
        """Run `tracklake compact`, which checks gold before it publishes it."""
        with self.session() as session:
            return compaction.compact(session, rebuild=rebuild, verify=verify)

    def flow(self, *, backfill: bool = False) -> flow.FlowReport:
        """Run `tracklake flow`: every stage, under the lock, with signals and log."""
        self._stay_logged_in()
        report = flow.FlowReport()
        with flow.running("flow", *self.load(), report, clock=self.clock) as session:
            flow.whole(session, report, backfill=backfill)
        return report

    # ---- what came of it

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Ask the published warehouse; a row is a dict."""
        with reading.snapshot(self.folders) as connection:
            return rows_of(connection, sql, *values)

    def query_private(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Ask the writer's own file, which has what no view shows."""
        file = self.folders.state / "writer.duckdb"
        with contextlib.closing(duckdb.connect(str(file), read_only=True)) as connection:
            connection.execute("set timezone = 'UTC'")
            return rows_of(connection, sql, *values)

    def gold(self) -> dict[int, dict[str, Any]]:
        """Return gold's activities by Strava's id."""
        rows = self.query(
            "select s.strava_id, s.external_id, s.upload_id, s.flagged, a.* "
            "from activities as a inner join activity_sources as s on s.activity_id = a.id "
            "where s.source = 'strava' and a.athlete = ?",
            self.athlete,
        )
        return {int(row["strava_id"]): row for row in rows}

    def gold_ids(self) -> set[int]:
        """Return the ids of gold's activities."""
        rows = self.query("select id from activities where athlete = ?", self.athlete)
        return {int(row["id"]) for row in rows}

    def tombstones(self) -> set[int]:
        """Return the ids of what gold says is gone."""
        rows = self.query(
            "select source_id from activity_tombstones where athlete = ?", self.athlete
        )
        return {int(row["source_id"]) for row in rows}

    def state(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the state database."""
        with contextlib.closing(State(self.folders.state)) as state:
            return state.execute(sql, values)

    def forget_fact(self, name: str) -> None:
        """Let the source forget one of its facts, or several (`*`)."""
        self.state("delete from facts where name glob ?", f"strava_{name}:{self.athlete}")

    def forget_state(self) -> None:
        """Lose the state database, as a person does who deletes it."""
        for path in self.folders.state.glob("tracklake.sqlite*"):
            path.unlink()

    def bronze_files(self) -> dict[str, bytes]:
        """Return every file of bronze by its name below it."""
        root = self.folders.bronze
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def list_calls(self, since: int = 0) -> list[Call]:
        """Return the calls for pages of the list that came after call `since`."""
        return [call for call in self.upstream.calls if self._is_of_list(call, since)]

    @staticmethod
    def _is_of_list(call: Call, since: int) -> bool:
        return call.number > since and call.path.endswith(LISTING)

    def shard_rows(self, entity: str) -> list[dict[str, Any]]:
        """Return the athlete's rows of one entity as they lie in bronze, oldest shard first."""
        rows: list[dict[str, Any]] = []
        for path in bronze.shard_paths(self.folders.bronze, entity):
            if f"athlete={self.athlete}" in path.parts:
                rows += pq.read_table(path, partitioning=None).to_pylist()
        return rows

    def landed(self) -> dict[int, dict[str, Any]]:
        """Return the newest row of each activity in bronze that was not found gone after it."""
        newest: dict[int, dict[str, Any]] = {}
        for row in self.shard_rows("activities"):
            known = newest.get(int(row["source_id"]))
            if known is None or known["ingested_at"] < row["ingested_at"]:
                newest[int(row["source_id"])] = row
        for row in self.shard_rows("activity_tombstones"):
            known = newest.get(int(row["source_id"]))
            if known is not None and known["ingested_at"] < row["ingested_at"]:
                del newest[int(row["source_id"])]
        return newest

    def landed_differences(self) -> list[str]:
        """Compare bronze's activities with the simulator's truth; quicker than to make gold."""
        rows, visible = self.landed(), self.upstream.visible_set()
        said = [f"{one}: never landed" for one in sorted(visible - rows.keys())]
        said += [f"{one}: still there" for one in sorted(rows.keys() - visible)]
        for one in sorted(visible & rows.keys()):
            row, truth = rows[one], self.upstream.account.truth(one)
            wanted = {name: truth.get(name) for name in SAME_NAMES}
            wanted["start_s"] = moment(truth["start_date"]).timestamp()
            said += [
                f"{one}: {name} is {row[name]!r}, not {value!r}"
                for name, value in wanted.items()
                if not same(row[name], value)
            ]
        return said

    def differences(self) -> list[str]:
        """Compare gold's activities with the simulator's truth; empty: they are equal."""
        gold, visible = self.gold(), self.upstream.visible_set()
        said = [f"{one}: not in gold" for one in sorted(visible - gold.keys())]
        said += [f"{one}: in gold, but gone" for one in sorted(gold.keys() - visible)]
        said += [f"{one}: in gold twice" for one in sorted(self.gold_ids() ^ gold.keys())]
        for one in sorted(visible & gold.keys()):
            said += [
                f"{one}: {text}" for text in compared(gold[one], self.upstream.account.truth(one))
            ]
        return said


@contextlib.contextmanager
def opened(folder: Path, **options: Any) -> Iterator[Place]:
    """Start a simulator with its own clock and give it a place; `options` are StravaUpstream's."""
    options.setdefault("clock", MovableClock(tick_s=0.001))
    with StravaUpstream(**options) as upstream:
        yield Place(folder, upstream)


def strava_grant(upstream: StravaUpstream) -> Any:
    """Return what a refresh of the login is asked with."""
    from tracklake.tokens import Grant

    return Grant(
        source="Strava",
        token_url=f"{upstream.oauth_url}/token",
        client_id=upstream.tokens.client_id,
        client_secret=upstream.tokens.client_secret,
        advice="log in",
    )


def _unexpected(status: int, body: bytes) -> Any:
    raise AssertionError(f"a refresh that nobody asked for: {status} {body[:200]!r}")


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, *values: object
) -> list[dict[str, Any]]:
    """Return a query's rows, each as a dict."""
    cursor = connection.execute(sql, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def compared(row: dict[str, Any], truth: Payload) -> list[str]:
    """Name the fields in which a row of gold is not what the list says."""
    expected = expected_row(truth)
    return [
        f"{name} is {row[name]!r}, not {value!r}"
        for name, value in expected.items()
        if not same(row[name], value)
    ]


def same(found: object, expected: object) -> bool:
    """Tell whether two values are one; numbers whatever their type."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=1e-12)
    return found == expected


def expected_row(truth: Payload) -> dict[str, object]:
    """Return what gold should say of an activity of the list."""
    row: dict[str, object] = {name: truth.get(name) for name in SAME_NAMES}
    row |= {"external_id": truth["external_id"], "upload_id": truth["upload_id"]}
    row |= {"flagged": truth["flagged"]}
    row["start_date"] = moment(truth["start_date"])
    row["start_date_local"] = moment(truth["start_date_local"]).replace(tzinfo=None)
    row["utc_offset_s"] = truth["utc_offset"]
    row["timezone"] = truth["timezone"].rpartition(" ")[2]
    row["photo_count"] = max(truth["photo_count"], truth["total_photo_count"])
    for place in ("start", "end"):
        lat, lng = truth[f"{place}_latlng"] or (None, None)
        row |= {f"{place}_lat": lat, f"{place}_lng": lng}
    row["summary_polyline"] = truth["map"]["summary_polyline"] or None
    row["name"] = truth["name"] or None
    return row


def moment(text: str) -> dt.datetime:
    """Read the service's way of writing a moment."""
    return dt.datetime.fromisoformat(text)
