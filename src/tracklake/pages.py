"""Response bodies as they were received, page by page, and the one shard that is made from them.

bronze/<source>/<entity>/athlete=<athlete>/<yyyy>/<stamp>-run<unique>/ holds page-0001.json.zst, …
and, once the run is sealed, shard.parquet. A page is on disk before anything depends on it; a run
that died before it was sealed is found by `unsealed` and gets its shard from its pages.
"""

import contextlib
import datetime as dt
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow.parquet as pq
import zstandard

from tracklake import bronze, landing, parquet_seal, shards
from tracklake.errors import InvalidData

_MOST_BYTES = 64 << 20  # of one page, unpacked
_NAME = re.compile(r"page-(\d+)(?:-([\w%]+))?(?:-(\d{3}))?\.json\.zst")


class Page(NamedTuple):
    """One response: what it was asked for (an id, or empty), its status, its body."""

    subject: str
    status: int
    body: bytes


@dataclass(slots=True)
class Run:
    """The pages of one entity that one run fetches; its folder is made with the first page."""

    folder: Path
    entity: str
    count: int = 0

    @classmethod
    def begin(cls, root: Path, source: str, entity: str, athlete: str, now: dt.datetime) -> "Run":
        """Name a run like no other, also one of the same moment."""
        year = root / source / entity / f"athlete={athlete}" / f"{now.year:04}"
        return cls(year / f"{bronze.stamp(now)}-run{secrets.token_hex(6)}", entity)

    @property
    def began_at(self) -> dt.datetime:
        """Return when it began; its rows bear this stamp."""
        return began_at(self.folder)

    def add(self, page: Page) -> None:
        """Land a response, durably."""
        self.count += 1
        words = [f"page-{self.count:04}", _in_a_name(page.subject)]
        words += [str(page.status)] if page.status != 200 else []
        name = "-".join(filter(None, words)) + ".json.zst"
        packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(page.body)
        landing.write(self.folder / name, packed)

    def seal(self, rows: list[dict[str, object]]) -> Path:
        """Land the run's shard; without rows an empty one, which says that its pages gave none."""
        path = self.folder / bronze.SHARD
        table = shards.table(self.entity, rows, self.began_at)
        with landing.landing(path) as temporary:
            with pq.ParquetWriter(
                temporary, table.schema, compression="zstd", write_page_checksum=True
            ) as writer:
                writer.write_table(table)
                writer.add_key_value_metadata({parquet_seal.KEY: parquet_seal.OPEN})
            parquet_seal.close(temporary)
        return path


@dataclass(slots=True)
class Unsealed:
    """A run that died before it was sealed. damaged: its pages that cannot be read any more."""

    run: Run
    damaged: list[Path] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Yield its pages in the order in which they came."""
        unpacker = zstandard.ZstdDecompressor()
        for path in _page_paths(self.run.folder):
            self.run.count = _number(path)  # one may be lost, and its number must not come again
            try:
                yield read(path, unpacker)
            except InvalidData:
                self.damaged.append(path)


def began_at(folder: Path) -> dt.datetime:
    """Read a run's stamp from the name of its folder."""
    return moment_of(folder.name.split("-")[0])


def moment_of(stamp: str) -> dt.datetime:
    """Read what bronze.stamp wrote."""
    return dt.datetime.fromisoformat(stamp)


def is_run(folder: Path) -> bool:
    """Tell the folder of a run, whose name does not say the hash of its shard."""
    return "-run" in folder.name


def read(path: Path, unpacker: zstandard.ZstdDecompressor | None = None) -> Page:
    """Read a page; InvalidData if it is not what was written.

    unpacker: one for many pages, of one thread.
    """
    found = _NAME.fullmatch(path.name)
    if found is None:
        raise InvalidData(f"{path} is not the name of a page", reason="damaged_page")
    packed = path.read_bytes()
    try:
        if zstandard.frame_content_size(packed) > _MOST_BYTES:
            raise InvalidData(f"{path} is too large for a page", reason="damaged_page")
        unpacker = unpacker or zstandard.ZstdDecompressor()
        body = unpacker.decompress(packed)  # refuses one that was cut
    except zstandard.ZstdError as error:
        raise InvalidData(f"{path}: {error}", reason="damaged_page") from error
    return Page(unquote(found[2] or ""), int(found[3] or 200), body)


def unsealed(root: Path, source: str, entity: str, athlete: str) -> list[Unsealed]:
    """Find the runs that have pages and no shard, oldest first."""
    found = []
    for year in sorted((root / source / entity / f"athlete={athlete}").glob("[0-9]" * 4)):
        rolled_up = {old.parent for path in year.glob("rollup-*") for old in bronze.replaces(path)}
        found += [
            Unsealed(Run(folder, entity))
            for folder in sorted(year.glob("*-run*"))
            if folder not in rolled_up
            and not (folder / bronze.SHARD).exists()
            and _page_paths(folder)
        ]
    return found


def landed(root: Path, source: str, entity: str, athlete: str) -> Iterator[Path]:
    """Yield the names of all pages of an entity, oldest first."""
    athletes = root / source / entity / f"athlete={athlete}"
    for folder in sorted(athletes.glob("[0-9][0-9][0-9][0-9]/*-run*")):
        yield from _page_paths(folder)


def of_run(folder: Path) -> Iterator[Page]:
    """Yield the pages of a run that can be read, in the order in which they came."""
    yield from sound(_page_paths(folder))


def sound(paths: Iterable[Path]) -> Iterator[Page]:
    """Yield the pages that can be read."""
    for path in paths:
        with contextlib.suppress(InvalidData):
            yield read(path)


def lost(folder: Path) -> list[int]:
    """Return the numbers of pages that are missing before a run's last one."""
    numbers = {_number(path) for path in _page_paths(folder)}
    return sorted(set(range(1, max(numbers, default=0))) - numbers)


def subject(path: Path) -> str:
    """Return what a page was asked for, by its name."""
    found = _NAME.fullmatch(path.name)
    return unquote((found[2] if found else None) or "")


def _in_a_name(subject: str) -> str:
    """Write a subject so that a name can be taken apart again: ids may hold colons and hyphens."""
    return re.sub(r"[^0-9A-Za-z_]", _quoted, subject)


def _quoted(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _page_paths(folder: Path) -> list[Path]:
    named = [path for path in folder.glob("page-*.json.zst") if _NAME.fullmatch(path.name)]
    return sorted(named, key=_number)


def _number(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])
