"""The source `files` under the contract of all sources; see contract.py."""

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.sources.contract import SourcePlace
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import MovableClock
from tests.upstream.server import Upstream
from tracklake.formats import fit_writer
from tracklake.model import Points, Recording, Session
from tracklake.sources import files
from tracklake.stages import ListReport, PullOptions


class Nobody(Upstream):
    """No service: whoever calls it is wrong."""

    def answer(self, call: Call) -> Answer:
        raise AssertionError(f"files ask nobody: {call.line()}")


class FilesPlace(SourcePlace):
    """One athlete's inbox: a file is put in, and never changed or called for."""

    source = files
    is_service = False
    _whole: bytes  # what a spoilt file was meant to be

    def settings_given(self) -> dict[str, object]:
        return {"inbox": str(self.inbox)}

    @property
    def inbox(self) -> Path:
        """Return where files are put."""
        path = self.folder / "inbox"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def pull(self, **options: Any) -> ListReport:
        with self.session() as session:
            found = files.pull(session, options=PullOptions(**options))
        return ListReport(new=found.activities, quarantined=found.quarantined)

    def upload(self, start: dt.datetime | None = None, name: str = "") -> str:
        content = _fit((start or self.clock.now()).timestamp())
        source_id = hashlib.sha256(content).hexdigest()
        (self.inbox / f"{name or source_id[:8]}.fit").write_bytes(content)
        return source_id

    def edit(self, source_id: str, name: str) -> None:
        raise NotImplementedError("a changed file is another file")

    def delete(self, source_id: str) -> None:
        raise NotImplementedError("what was read stays, whatever becomes of the file")

    def spoil(self) -> str:
        self._whole = _fit(self.clock.now().timestamp() - 5 * 86_400.0)
        (self.inbox / "bad.fit").write_bytes(self._whole[:20])
        return hashlib.sha256(self._whole).hexdigest()

    def mend(self, source_id: str) -> None:
        assert hashlib.sha256(self._whole).hexdigest() == source_id
        (self.inbox / "bad.fit").write_bytes(self._whole)

    def drift(self) -> None:
        (self.inbox / "notes.txt").write_text("a format that nobody knows")

    def is_original(self, call: Call) -> bool:
        raise NotImplementedError(f"nobody is called: {call.line()}")

    def exhaust_quota(self) -> float:
        raise NotImplementedError("nobody counts")


def _fit(start_s: float) -> bytes:
    """Write a run of two minutes."""
    seconds = float(int(start_s)) + np.arange(120.0)
    columns = Points.of(
        120,
        timestamp_s=seconds,
        lat=10 + 3e-5 * np.arange(120),
        lng=np.full(120, -30.0),
        distance_m=3.3 * np.arange(120),
    )
    session = Session(start_s=float(seconds[0]), sport="running", elapsed_time_s=119.0)
    return fit_writer.encode(Recording(format="fit", points=columns, sessions=(session,)))


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[FilesPlace]:
    """Give an inbox a place; there is no service, only its clock."""
    with Nobody(clock=MovableClock(tick_s=0.001)) as upstream:
        yield FilesPlace(folder, upstream)
