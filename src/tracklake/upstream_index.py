"""What is known of a source's records without opening the warehouse: what was landed, what was
fetched about each, what is gone. So nothing is landed or fetched twice.

It lives in the state database and is made from bronze's shards, each read once; a lost state
database is filled again by the next sync.
"""

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from tracklake import bronze, pages, sound_files
from tracklake.state import State

# Records before their tombstones; what was fetched about them in any order.
_ENTITIES = (
    *("activities", "activity_tombstones"),
    *("activity_details", "activity_streams", "activity_zones", "gear"),
    *("activity_intervals", "wellness"),
)
_RECORD_COLUMNS = (
    *("source_id", "start_s", "sport_type", "content_hash", "facts_hash", "track_hash", "gear_id"),
)
_AT_ONCE = 500  # parameters of one query
_stamp = functools.lru_cache(maxsize=64)(bronze.stamp)  # all rows of a run bear the same


class Wanted(NamedTuple):
    """Something to fetch: about which record, when it began, for which version of it."""

    source_id: str
    start_s: float
    sport_type: str
    wanted_hash: str
    all_efforts: bool = False  # it was asked for with all of them before


@dataclass(frozen=True, slots=True)
class UpstreamIndex:
    """The index of one source's records of one athlete; `root` is the bronze folder."""

    state: State
    root: Path
    athlete: str
    source: str

    @property
    def _whose(self) -> tuple[str, str]:
        return self.athlete, self.source

    def sync(self) -> None:
        """Read the shards that are not in the index yet."""
        rows = self.state.execute(
            "select shard from indexed_shards where athlete = ? and source = ?", self._whose
        )
        known = {str(shard) for (shard,) in rows}
        for entity in _ENTITIES:
            for path in self._shards(entity):
                if self._name(path) not in known and sound_files.damage(path) is None:
                    self.take(entity, path)  # compaction sets what is damaged aside, and says so
        if self.source == "strava":
            for path in self._shards("activities", "files"):
                if self._name(path) not in known and sound_files.damage(path) is None:
                    self._take_exported(path)

    def _shards(self, entity: str, source: str | None = None) -> list[Path]:
        own = f"athlete={self.athlete}"
        paths = bronze.shard_paths(self.root, entity)
        return bronze.live(
            path
            for path in paths
            if path.relative_to(self.root).parts[::2][:2] == (source or self.source, own)
        )

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def take(self, entity: str, path: Path) -> None:
        """Read one shard into the index."""
        columns = ["source_id", "ingested_at"]
        if entity == "activities":
            columns = [*_RECORD_COLUMNS, "ingested_at"]
        elif entity == "wellness":
            columns += ["content_hash"]
        elif entity not in ("activity_tombstones", "gear"):
            columns += ["wanted_hash", "outcome"]
        rows = pq.read_table(path, columns=columns, partitioning=None).to_pylist()
        with self.state.transaction():
            for row in rows:
                moment = _stamp(row["ingested_at"])
                if entity == "activities":
                    self._enter_record(row, moment)
                elif entity == "activity_tombstones":
                    self._enter_tombstone(str(row["source_id"]), moment)
                else:
                    self._enter_fact(entity, row, moment)
            self.state.execute(
                "insert or replace into indexed_shards values (?, ?, ?)",
                (*self._whose, self._name(path)),
            )

    def _take_exported(self, path: Path) -> None:
        """Note which files came with an export of Strava: rows that bear its ids."""
        table = pq.read_table(path, columns=["strava_id", "file_sha256"], partitioning=None)
        rows = table.drop_null().to_pylist()
        with self.state.transaction():
            for row in rows:
                self.state.execute(
                    "insert or replace into upstream_files values (?, ?, ?, ?)",
                    (*self._whose, str(row["strava_id"]), row["file_sha256"]),
                )
            self.state.execute(
                "insert or replace into indexed_shards values (?, ?, ?)",
                (*self._whose, self._name(path)),
            )

    def _enter_record(self, row: dict[str, object], moment: str) -> None:
        self.state.execute(
            "insert into upstream_records values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null) "
            "on conflict do update set start_s = excluded.start_s, "
            "sport_type = excluded.sport_type, "
            "content_hash = excluded.content_hash, facts_hash = excluded.facts_hash, "
            "track_hash = excluded.track_hash, gear_id = excluded.gear_id, "
            "ingested_at = excluded.ingested_at, "
            "gone_at = case when gone_at > excluded.ingested_at then gone_at end "
            "where excluded.ingested_at >= ingested_at",
            (*self._whose, *(row[name] for name in _RECORD_COLUMNS), moment),
        )

    def _enter_tombstone(self, source_id: str, moment: str) -> None:
        self.state.execute(
            "update upstream_records set gone_at = max(?, coalesce(gone_at, '')) "
            "where athlete = ? and source = ? and source_id = ? and ingested_at < ?",
            (moment, *self._whose, source_id, moment),
        )

    def _enter_fact(self, entity: str, row: dict[str, object], moment: str) -> None:
        self.state.execute(
            "insert into upstream_facts values (?, ?, ?, ?, ?, ?, ?) "
            "on conflict do update set facts_hash = excluded.facts_hash, "
            "outcome = excluded.outcome, fetched_at = excluded.fetched_at "
            "where excluded.fetched_at >= fetched_at",
            (
                *(*self._whose, entity, row["source_id"]),
                row.get("wanted_hash", row.get("content_hash", "")),
                *(row.get("outcome", "done"), moment),
            ),
        )

    def known(self, source_ids: Sequence[str]) -> dict[str, str]:
        """Return the content hash of each record's newest landing; those that are gone count as
        unknown, so that their return is landed.
        """
        found: dict[str, str] = {}
        for first in range(0, len(source_ids), _AT_ONCE):
            part = source_ids[first : first + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            rows = self.state.execute(
                "select source_id, content_hash from upstream_records "  # noqa: S608 only marks
                "where athlete = ? and source = ? and gone_at is null "
                f"and source_id in ({marks})",
                (*self._whose, *part),
            )
            found |= {str(source_id): str(content_hash) for source_id, content_hash in rows}
        return found

    def present(self, since_s: float | None = None, until_s: float | None = None) -> set[str]:
        """Return the ids of all records that are not gone, or of those that begin in a time."""
        rows = self.state.execute(
            "select source_id from upstream_records "
            "where athlete = ? and source = ? and gone_at is null "
            "and (? is null or start_s >= ?) and (? is null or start_s < ?)",
            (*self._whose, since_s, since_s, until_s, until_s),
        )
        return {str(source_id) for (source_id,) in rows}

    def by_start(self) -> list[tuple[str, float]]:
        """Return all records that are not gone and when each begins, the oldest first."""
        rows = self.state.execute(
            "select source_id, start_s from upstream_records "
            "where athlete = ? and source = ? and gone_at is null order by start_s, source_id",
            self._whose,
        )
        return [(str(source_id), float(str(start_s or 0))) for source_id, start_s in rows]

    def newest_start_s(self) -> float | None:
        """Return when the newest record began, UNIX seconds."""
        ((newest,),) = self.state.execute(
            "select max(start_s) from upstream_records "
            "where athlete = ? and source = ? and gone_at is null",
            self._whose,
        )
        return None if newest is None else float(str(newest))

    def moment_after(self, now: dt.datetime) -> dt.datetime:
        """Return now or, if the clock was set back, a moment after all landings: what lands later
        counts as newer.
        """
        ((newest, gone),) = self.state.execute(
            "select max(ingested_at), max(gone_at) from upstream_records "
            "where athlete = ? and source = ?",
            self._whose,
        )
        ((fetched,),) = self.state.execute(
            "select max(fetched_at) from upstream_facts where athlete = ? and source = ?",
            self._whose,
        )
        latest = max(str(moment or "") for moment in (newest, gone, fetched))
        if latest < bronze.stamp(now):
            return now
        return pages.moment_of(latest) + dt.timedelta(microseconds=1)

    def wanted(
        self,
        entity: str,
        hash_column: str,
        *,
        all_efforts: bool = False,
        without_file: bool = False,
    ) -> list[Wanted]:
        """List what is missing, or was fetched for another version of the record; newest first.

        Records whose `hash_column` is empty have nothing of this kind. without_file: only those of
        which no export brought a sound file.
        """
        rows = self.state.execute(
            f"select r.source_id, r.start_s, r.sport_type, r.{hash_column}, "  # noqa: S608 our own names
            "f.outcome = 'all_efforts' "
            "from upstream_records as r left join upstream_facts as f on f.athlete = r.athlete "
            "and f.source = r.source and f.source_id = r.source_id and f.entity = ? "
            "where r.athlete = ? and r.source = ? and r.gone_at is null "
            f"and r.{hash_column} <> '' "
            f"and (f.source_id is null or f.facts_hash <> r.{hash_column} "
            "or (? and f.outcome = 'done')) "
            "and not (? and exists (select 1 from upstream_files as l "
            "inner join decoded as d on d.athlete = l.athlete and d.file_sha256 = l.file_sha256 "
            "where l.athlete = r.athlete and l.source = r.source and l.source_id = r.source_id "
            "and d.outcome = 'activity')) "
            "order by r.start_s desc, r.source_id desc",
            (entity, *self._whose, all_efforts, without_file),
        )
        return [_wanted(*row) for row in rows]

    def wanted_gear(self) -> list[str]:
        """List the gear that records name and nobody asked about."""
        rows = self.state.execute(
            "select distinct gear_id from upstream_records as r where athlete = ? and source = ? "
            "and gone_at is null and gear_id is not null and not exists (select 1 from "
            "upstream_facts as f where f.athlete = r.athlete and f.source = r.source "
            "and f.entity = 'gear' and f.source_id = r.gear_id) order by gear_id",
            self._whose,
        )
        return [str(gear_id) for (gear_id,) in rows]

    def version(
        self, source_id: str, hash_column: str, before: dt.datetime | None = None
    ) -> Wanted:
        """Return a record whatever was fetched about it; an unknown one has no version, nor one
        that changed after `before`.
        """
        rows = self.state.execute(
            f"select source_id, start_s, sport_type, {hash_column}, ingested_at "  # noqa: S608 our own names
            "from upstream_records where athlete = ? and source = ? and source_id = ?",
            (*self._whose, source_id),
        )
        if not rows:
            return Wanted(source_id, 0.0, "", "")
        found = _wanted(*rows[0][:4])
        changed = before is not None and str(rows[0][4]) > _stamp(before)
        return found._replace(wanted_hash="") if changed else found

    def forget(self) -> None:
        """Forget everything; the next sync reads what bronze has then."""
        for table in ("upstream_records", "upstream_facts", "upstream_files", "indexed_shards"):
            self.state.execute(
                f"delete from {table} where athlete = ? and source = ?",  # noqa: S608 our own names
                self._whose,
            )


def _wanted(
    source_id: object,
    start_s: object,
    sport_type: object,
    version: object,
    all_efforts: object = None,
) -> Wanted:
    return Wanted(
        str(source_id),
        float(str(start_s or 0)),
        str(sport_type or ""),
        str(version),
        bool(all_efforts),
    )
