"""What matching knows of a record, and the keys by which records name one another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Method = Literal["strava_id", "external_id", "file", "time", "track", "decision", "own"]
Position = tuple[float, float]  # lng, lat in degrees

EXPORT_PREFIX = "strava-export/"  # a row of Strava's archive: source `files`, but Strava's record
_HASH_DIGITS = 32  # as many of a file's SHA-256 as our uploads' names carry
_GARMIN = re.compile(
    r"(?:garmin_(?:push|ping)_)?([0-9]{6,20})(?:_activity)?(?:\.(?:fit|tcx|gpx))?(?:\.gz)?",
    re.IGNORECASE,
)
_OUR_UPLOAD = re.compile(r"tracklake-([0-9a-f]{32})(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one source says of one activity of one athlete.

    first_ingested_s: when any version of it first landed; seconds or microseconds, but the same for
    all. start_s: UNIX seconds. start_hidden: only the local day is known. zone_known: False if
    start_s was read from a wall clock without a zone. leg_index: 0 for a whole, 1.. for a leg;
    has_legs: it is the whole of a multisport outing. line: a coarse track, (lng, lat) degrees.
    is_stub: the source only says that something exists elsewhere; it is matched by links alone.
    """

    record_id: int
    source: str
    source_id: str
    first_ingested_s: float
    links: frozenset[str] = frozenset()
    start_s: float | None = None
    elapsed_s: float | None = None
    moving_s: float | None = None
    distance_m: float | None = None
    sport_type: str | None = None
    start_hidden: bool = False
    utc_offset_s: float | None = None
    zone_known: bool = True
    has_legs: bool = False
    leg_index: int = 0
    line: tuple[Position, ...] = ()
    start: Position | None = None
    is_stub: bool = False

    @property
    def name(self) -> str:
        """The name by which decisions call it."""
        return f"{self.source}/{self.source_id}"

    @property
    def service(self) -> str:
        """Whose record it is: the source, but Strava's for a row of Strava's archive."""
        if self.source == "files" and self.source_id.startswith(EXPORT_PREFIX):
            return "strava"
        return self.source

    @property
    def service_id(self) -> str:
        """Return its id at that service."""
        return self.source_id.removeprefix(EXPORT_PREFIX)


@dataclass(frozen=True, slots=True)
class Match:
    """Two records that are, or may be, one activity. first < second; confidence: 0 to 1."""

    first: int
    second: int
    method: Method
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the athlete said of two records, named source/source_id; the later one counts."""

    kind: Literal["merge", "split"]
    first: str
    second: str
    at_s: float


def links(
    *,
    source: str,
    source_id: str,
    external_id: str | None = None,
    strava_id: int | str | None = None,
    file_sha256: str | None = None,
) -> frozenset[str]:
    """Return the keys of a record; records that share one speak of the same thing.

    `strava:<id>`, `garmin:<id>`, `<source>:<its own id>`, `file:<first digits of the hash>`. A bare
    number from SmashRun is Garmin's id or Strava's: both keys are made, and the wrong one is caught
    because the times differ.
    """
    keys = set() if source == "files" else {f"{source}:{source_id}"}
    if strava_id is not None:
        keys.add(f"strava:{strava_id}")
    elif source_id.startswith(EXPORT_PREFIX):
        keys.add(f"strava:{source_id.removeprefix(EXPORT_PREFIX)}")
    keys |= _named(source, (external_id or "").strip())
    if file := _file(source, source_id, file_sha256):
        keys.add(f"file:{file}")
    return frozenset(keys)


def _named(source: str, external_id: str) -> set[str]:
    """Read what a service calls the origin."""
    if upload := _OUR_UPLOAD.fullmatch(external_id):
        return {f"file:{upload[1].lower()}"}
    if not (number := _GARMIN.fullmatch(external_id)):
        return set()
    keys = {f"garmin:{number[1]}"}
    return keys | {f"strava:{number[1]}"} if source == "smashrun" else keys


def _file(source: str, source_id: str, file_sha256: str | None) -> str | None:
    """Name a recording in a file: its hash, and which recording if not the first."""
    if not file_sha256:
        return None
    _, mark, recording = source_id.partition("/")[0].partition("#")
    number = f"#{recording}" if source == "files" and mark else ""
    return file_sha256[:_HASH_DIGITS].lower() + number
