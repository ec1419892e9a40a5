"""Secrets that can be recognised wherever they turn up, planted everywhere a secret can be.

Every one of them has MARK in it, so one search finds any of them: as it is, in base64, and inside
of what is compressed.
"""

import base64
import contextlib
import dataclasses
import datetime as dt
import functools
import gzip
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import zstandard
from pydantic import SecretStr

from tests.sources.inbox import fit_bytes
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import ShiftedClock
from tests.upstream.faults import Fault
from tests.upstream.garmin import GarminUpstream
from tests.upstream.intervals import IntervalsUpstream
from tests.upstream.smashrun import SmashrunTokens, SmashrunUpstream
from tests.upstream.strava import StravaUpstream
from tests.upstream.tokens import TokenDesk
from tracklake.config import Settings

MARK = "cAnArY5q7"
PERSONAL = "pErSoNaL8w3"  # in names and notes of activities
HOME = ("46.0573519", "14.5019837")  # a privacy zone's centre
AWS_SECRET = f"{MARK}-aws-secret-2d3f8a61"

_PLAIN = {
    "TRACKLAKE_WEATHER": "off",
    "TRACKLAKE_PRIVACY_ZONES": f"{HOME[0]},{HOME[1]},300",
    "TRACKLAKE_UPLOAD": "off",
    "TZ": "Europe/Ljubljana",
}


def canary(name: str) -> str:
    """Return a secret that says where it was planted."""
    return f"{MARK}-{name}-7f1c0e55d2"


class _StravaDesk(TokenDesk):
    @staticmethod
    def _word(seed: int, kind: str, number: int) -> str:
        return canary(f"strava-{kind}-{seed}{number}")


class _SmashrunDesk(SmashrunTokens):
    def _word(self, kind: str) -> str:
        self._count += 1
        return canary(f"smashrun-{kind}-{self._count}")


class _Garmin(GarminUpstream):
    def _token(self, subject: str, life_s: float) -> str:
        return super()._token(canary(f"garmin {subject}"), life_s)


@dataclasses.dataclass
class Echo(Fault):
    """A service that says back all it was sent, wherever a client may look for an explanation."""

    status: int = 400

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:  # noqa: ARG002
        sent = [*call.form.values(), call.headers.get("authorization", "nothing")]
        secret = next((one.split(" ")[-1] for one in sent if MARK in one), sent[-1])
        body = {"error": secret, "message": secret, "errors": [{"code": secret, "field": secret}]}
        headers = {"X-Echo": secret, "Location": f"http://{secret}:{secret}@127.0.0.1/{secret}"}
        return Answer(self.status, body, headers)


@dataclasses.dataclass
class Household:
    """One folder with secrets in it, and the four services that take them."""

    folder: Path
    strava: StravaUpstream
    garmin: GarminUpstream
    intervals: IntervalsUpstream
    smashrun: SmashrunUpstream
    said: dict[str, str] = dataclasses.field(default_factory=dict)  # output by command

    @property
    def services(self) -> tuple[Any, ...]:
        """Return all four."""
        return (self.strava, self.garmin, self.intervals, self.smashrun)

    @functools.cached_property
    def secrets(self) -> dict[str, str]:
        """Return every secret setting there is, by the name of its variable."""
        known = {
            "STRAVA_CLIENT_SECRET": self.strava.tokens.client_secret,
            "STRAVA_REFRESH_TOKEN": self.strava.tokens.refresh_token,
            "INTERVALS_API_KEY": self.intervals.key,
            "SMASHRUN_ACCESS_TOKEN": self.smashrun.tokens.personal(self.smashrun.moment()),
            "SMASHRUN_REFRESH_TOKEN": self.smashrun.tokens.pair(self.smashrun.moment())[
                "refresh_token"
            ],
            "SMASHRUN_CLIENT_SECRET": self.smashrun.tokens.client_secret,
            "GARMIN_PERSONAL_API_KEY": next(iter(self.garmin.keys)),
        }
        every = [
            str(field.validation_alias)
            for field in Settings.model_fields.values()
            if SecretStr.__name__ in str(field.annotation)
        ]
        told = {name: known.get(name, canary(name.lower())) for name in every}
        return told | {
            name: f"{'json' if name.endswith('S') else 'http'}://user:{value}@127.0.0.1:9/{value}"
            for name, value in told.items()
            if name.endswith(("_URL", "_URLS"))
        }

    def addresses(self) -> dict[str, str]:
        """Return the settings that are no secrets."""
        return {
            **_PLAIN,
            "STRAVA_API_URL": self.strava.api_url,
            "STRAVA_OAUTH_URL": self.strava.oauth_url,
            "STRAVA_CLIENT_ID": self.strava.tokens.client_id,
            "INTERVALS_API_URL": self.intervals.api_url,
            "SMASHRUN_API_URL": self.smashrun.api_url,
            "SMASHRUN_OAUTH_URL": self.smashrun.oauth_url,
            "SMASHRUN_CLIENT_ID": self.smashrun.tokens.client_id,
            "GARMIN_PERSONAL_API_BASE_URL": self.garmin.url,
        }

    def plant_in_files(self) -> None:
        """Put half of the secrets into `secrets`, half into `.env`, all closed to others."""
        places = self.folder / "secrets", self.folder / ".env"
        places[0].mkdir(mode=0o700, exist_ok=True)
        lines = [f"{name}={value}" for name, value in self.addresses().items()]
        for number, (name, value) in enumerate(sorted(self.secrets.items())):
            if number % 2:
                lines.append(f"{name}={value}")
            else:
                closed(places[0] / name, value)
        closed(places[1], "\n".join(lines) + "\n")

    def run(
        self,
        *words: str,
        told: str = "",
        program: tuple[str, ...] = ("-m", "tracklake"),
        patience_s: float = 120.0,
        environment: dict[str, str] | None = None,
    ) -> int:
        """Run a command there, keep what it said, return its exit code.

        One that waits for a quota longer than `patience_s` is told to stop.
        """
        given = os.environ  # noqa: TID251 a child needs some of it
        usual = {name: given[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in given}
        process = subprocess.Popen(
            [sys.executable, *program, *words],
            cwd=self.folder,
            env={**usual, "AWS_SECRET_ACCESS_KEY": AWS_SECRET, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said, _ = process.communicate(told, timeout=patience_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            said, _ = process.communicate(timeout=20)
        name = " ".join(words)
        self.said[name] = self.said.get(name, "") + said
        return process.returncode


def closed(path: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def household(folder: Path) -> Iterator[Household]:
    """Start four services that give out canaries, each with two activities of a telling name."""
    clock = ShiftedClock()
    with (
        StravaUpstream(clock=clock, points=40) as strava,
        _Garmin(clock=clock) as garmin,
        IntervalsUpstream(clock=clock) as intervals,
        SmashrunUpstream(clock=clock) as smashrun,
    ):
        strava.tokens, smashrun.tokens = _StravaDesk(), _SmashrunDesk()
        smashrun.tokens.client_secret = canary("smashrun-client-secret")
        garmin.keys, intervals.key = {canary("garmin-key")}, canary("intervals-key")
        place = Household(folder, strava, garmin, intervals, smashrun)
        for day in (3, 5):
            start = (clock.now() - dt.timedelta(days=day)).replace(microsecond=0)
            strava.account.upload(start=start, name=f"{PERSONAL} with a friend")
            garmin.record(start + dt.timedelta(hours=2), activityName=f"{PERSONAL} at lunch")
            intervals.upload(start + dt.timedelta(hours=4), name=f"{PERSONAL} in the evening")
            smashrun.upload(start + dt.timedelta(hours=6), notes=f"{PERSONAL} at night")
        inbox = folder / "data" / "inbox"
        inbox.mkdir(parents=True)
        (inbox / "good.fit").write_bytes(fit_bytes(1))
        (inbox / "bad.gpx").write_text(f"<gpx><name>{PERSONAL}</name>")
        yield place


# ---- looking for them


def forms(mark: str) -> tuple[bytes, ...]:
    """Return a mark as it is, and what is left of it in base64 at each of three alignments."""
    found = [mark.encode()]
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + mark.encode())
        found.append(encoded[4 if before else 0 : len(encoded) // 4 * 4 - 4])
    return tuple(found)


def hits(data: bytes, mark: str = MARK) -> list[str]:
    """Return what is found of a mark in some bytes, with what stands around it."""
    pattern = re.compile(b"|".join(map(re.escape, forms(mark))))
    return [
        data[max(0, found.start() - 60) : found.end() + 60].decode("latin-1")
        for found in pattern.finditer(data)
    ]


def content(path: Path) -> Iterator[bytes]:
    """Yield a file as it is, and what it holds where that is packed."""
    data = path.read_bytes()
    yield data
    if data[:4] == b"\x28\xb5\x2f\xfd":
        yield zstandard.ZstdDecompressor().decompressobj().decompress(data)
    elif data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:4] == b"PAR1":
        yield repr(pq.read_table(path, partitioning=None).to_pylist()).encode()
    elif path.suffix == ".duckdb":
        yield from _gold(path)
    elif data[:15] == b"SQLite format 3":
        uri = f"file:{path}?immutable=1"  # as it lies there: nothing is changed by looking
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            yield "\n".join(connection.iterdump()).encode(errors="replace")


def _gold(path: Path) -> Iterator[bytes]:
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        connection.execute("set timezone = 'UTC'")
        tables = connection.execute("select table_name from duckdb_tables()").fetchall()
        for (table,) in tables:
            yield repr(connection.execute(f'from "{table}"').fetchall()).encode()


def files_below(folder: Path, *without: Path) -> list[Path]:
    """Return the files below a folder, but for those in places that are meant to hold secrets."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(path.is_relative_to(place) for place in without)
    ]


class Watch(threading.Thread):
    """Looks at every process of the machine again and again: at its arguments and environment."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.looks = self.seen = 0
        self.arguments: set[str] = set()
        self.environments: set[str] = set()
        self._ended = threading.Event()
        self._known: set[str] = set()

    def run(self) -> None:
        """Look until it is told to end."""
        while not self._ended.wait(0.05):
            self.looks += 1
            for place in Path("/proc").glob("[0-9]*"):
                self._look(place)

    def _look(self, place: Path) -> None:
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            arguments = (place / "cmdline").read_bytes()
            if hits(arguments):
                self.arguments.add(arguments.decode(errors="replace"))
            environment = (place / "environ").read_bytes()
            if f"{MARK}-".encode() in environment.replace(AWS_SECRET.encode(), b""):
                self.environments.add(arguments.decode(errors="replace"))
            if b"tracklake" in arguments and place.name not in self._known:
                self._known.add(place.name)
                self.seen += 1

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()
