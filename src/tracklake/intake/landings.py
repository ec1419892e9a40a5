"""Landing what workers found, batch by batch, so that a kill at any point costs one batch.

Streams are on disk already; then come the records, the list of originals, and last what the state
database remembers. A batch that is done again makes newer versions of the same records.
"""

from collections import Counter
from dataclasses import dataclass, field

from tracklake import bronze, shards
from tracklake.intake import index
from tracklake.intake.aside import Aside
from tracklake.intake.finding import Candidate
from tracklake.intake.looking import DECODER_VERSION, Looked
from tracklake.intake.rows import SOURCE
from tracklake.intake.strava_export import Export
from tracklake.session import SyncSession

_BATCH_FILES = 256
_BATCH_BYTES = 64 << 20
_KEPT = ("activity", "not_activity", "quarantined")


@dataclass(slots=True, kw_only=True)
class PullReport:
    """What a pull of files did, in files unless said otherwise.

    found: looked at or known (members of archives count, archives don't). decoded: by a decoder.
    activities: new records of whole outings. repeated: such records made anew of known originals.
    duplicates: content that was known under another name. salvaged: activities from damaged files.
    changing: being written, left for the next run. exported: new or changed rows of Strava exports.
    """

    found: int = 0
    unchanged: int = 0
    decoded: int = 0
    activities: int = 0
    repeated: int = 0
    not_activities: int = 0
    duplicates: int = 0
    salvaged: int = 0
    quarantined: int = 0
    ignored: int = 0
    changing: int = 0
    exported: int = 0

    def summary(self) -> str:
        """Say it in a few words."""
        counts = {
            "new": self.activities,
            "decoded again": self.repeated,
            "unchanged": self.unchanged,
            "already known": self.duplicates,
            "salvaged": self.salvaged,
            "no activities": self.not_activities,
            "set aside": self.quarantined,
            "not activity files": self.ignored,
            "from exports": self.exported,
        }
        said = [f"{count:,} {word}" for word, count in counts.items() if count]
        return ", ".join(said) or "nothing new"


@dataclass(slots=True)
class Landing:
    """Results on their way to bronze.

    contents: the content hash of each file by what a person calls it. listed: files on disk by
    their path, remembered as seen when landed; members of archives are not among them.
    """

    session: SyncSession
    report: PullReport
    aside: Aside = field(init=False)
    contents: dict[str, str] = field(default_factory=dict)
    listed: dict[str, Candidate] = field(default_factory=dict)
    _exported: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _waiting: list[Looked] = field(default_factory=list)
    _done: set[str] = field(default_factory=set)
    _landed: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aside = Aside(self.session)

    def expect(self, export: Export) -> None:
        """Accept an export's rows: each lands together with its file, so that both are one from
        the first; those without a file land at the end.
        """
        for row in export.rows:
            name = f"{export.prefix}{row.file}" if row.file else ""
            self._exported.setdefault(name, []).append(row.columns)

    def take(self, results: list[Looked]) -> None:
        """Accept a chunk's results; land what has come together when it is enough."""
        for looked in results:
            is_new = looked.outcome in _KEPT and looked.location is not None
            if is_new and looked.file_sha256 in self._done:
                looked.outcome, looked.location, looked.rows = "known", None, []
            if is_new:
                self._done.add(looked.file_sha256)
            if looked.job.again:  # its name may be another content's by now
                self.contents.setdefault(looked.job.shown, looked.file_sha256)
            elif looked.file_sha256:
                self.contents[looked.job.shown] = looked.file_sha256
            self._waiting.append(looked)
        size_bytes = sum(looked.size_bytes for looked in self._waiting)
        if len(self._waiting) >= _BATCH_FILES or size_bytes >= _BATCH_BYTES:
            self.land()

    def land(self) -> None:
        """Land everything that waits."""
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        folder, now = self.session.folders.bronze, self.session.clock.now()
        exported = self._changed("activities", self._exported_with(batch))
        records = [row for looked in batch for row in looked.rows] + list(exported.values())
        aside = frozenset(self.aside.items)
        bronze.land_shard(folder, "activities", records, ingested_at=now)
        kept = [looked for looked in batch if looked.location is not None]
        originals = [_original(self.session.athlete, looked) for looked in kept]
        bronze.land_shard(folder, "original_files", originals, ingested_at=now)
        with self.session.state.transaction():
            for looked in batch:
                self._remember(looked)
            index.remember_landed(self.session, "activities", exported)
        _count(self.report, batch, aside)
        self.report.exported += len(exported)

    def finish(self, exports: list[Export]) -> None:
        """Land what waits, and what exports say of manual activities, of known files, of gear."""
        self.land()
        rest = [
            {**row, "file_sha256": self._content_of(name)}
            for name, rows in self._exported.items()
            for row in rows
        ]
        gear = [row for export in exports for row in export.gear]
        for entity, rows in (("activities", rest), ("gear", gear)):
            changed = self._changed(entity, rows)
            bronze.land_shard(
                self.session.folders.bronze,
                entity,
                list(changed.values()),
                ingested_at=self.session.clock.now(),
            )
            with self.session.state.transaction():
                index.remember_landed(self.session, entity, changed)
            self.report.exported += len(changed) if entity == "activities" else 0

    def _exported_with(self, batch: list[Looked]) -> list[dict[str, object]]:
        """Take the exports' rows of a batch's files; unpacked by hand, a file has lost its .gz."""
        return [
            {**row, "file_sha256": looked.file_sha256}
            for looked in batch
            if looked.file_sha256 and not looked.job.again
            for name in (looked.job.shown, f"{looked.job.shown}.gz")
            for row in self._exported.pop(name, ())
        ]

    def _content_of(self, name: str) -> str | None:
        return self.contents.get(name) or self.contents.get(name.removesuffix(".gz"))

    def _changed(
        self, entity: str, rows: list[dict[str, object]]
    ) -> dict[tuple[str, str], dict[str, object]]:
        """Keep the rows whose content is not what was landed last, by source id and content."""
        if not rows:
            return {}
        if entity not in self._landed:
            state, athlete = self.session.state, self.session.athlete
            self._landed[entity] = index.landed(state, athlete, entity)
        landed = self._landed[entity]
        found = {(str(row["source_id"]), shards.row_hash(row)): row for row in rows}
        changed = {key: row for key, row in found.items() if landed.get(key[0]) != key[1]}
        landed.update(changed.keys())
        return changed

    def _remember(self, looked: Looked) -> None:
        if looked.location is not None:
            index.remember_decoded(self.session, looked)
        if looked.outcome == "quarantined":
            self.aside.refuse(looked)
        elif looked.outcome != "gone":
            self.aside.forget(looked)
        candidate = self.listed.get(looked.job.path)
        if candidate is not None and looked.outcome != "gone" and looked.reason != "unreadable":
            index.remember_seen(self.session, candidate, looked.file_sha256 or None)


def _original(athlete: str, looked: Looked) -> dict[str, object]:
    return {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": looked.sha256,
        "file_sha256": looked.file_sha256,
        "size_bytes": looked.size_bytes,
        "file_format": looked.file_format,
        "location": looked.location,
        "seen_as": looked.job.shown,
        "outcome": looked.outcome,
        "decoder_version": DECODER_VERSION,
        "message": looked.message,
    }


def _count(report: PullReport, batch: list[Looked], aside: frozenset[str]) -> None:
    outcomes = Counter(looked.outcome for looked in batch)
    report.decoded += sum(1 for looked in batch if looked.location is not None)
    for looked in batch:
        outings = sum(1 for row in looked.rows if row["parent_record_id"] is None)
        if looked.job.again and looked.file_sha256 not in aside:
            report.repeated += outings
        else:
            report.activities += outings
    report.not_activities += outcomes["not_activity"]
    report.duplicates += outcomes["known"]
    report.quarantined += outcomes["quarantined"]
    report.ignored += outcomes["ignored"]
    report.changing += outcomes["gone"]
    report.salvaged += sum(
        1 for looked in batch if looked.outcome == "activity" and looked.message is not None
    )
