"""Stopped between any two steps, the next pull gives what an undisturbed one gives."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources.inbox import Inbox, fit_bytes
from tests.sources.test_files_exports import row
from tests.test_strava_export import ENGLISH, table
from tracklake import bronze
from tracklake.errors import Interrupted
from tracklake.intake import index


def filled(root: Path) -> Inbox:
    """Make an inbox of two runs, a broken file and an export's table."""
    inbox = Inbox(root)
    inbox.put("x/activities.csv", table(ENGLISH, row(1, "A", "activities/1.fit"), row(2, "B", "")))
    inbox.put("x/activities/1.fit", fit_bytes(1))
    inbox.put("2.fit", fit_bytes(2))
    inbox.put("broken.gpx", b"<html>")
    return inbox


def newest(inbox: Inbox) -> dict[str, dict[str, object]]:
    """Return what gold would take: each record's newest row, its stamps left out."""
    rows = {f"{one['source_id']}": one for one in inbox.rows("activities")}
    rows |= {f"original {one['source_id']}": one for one in inbox.rows("original_files")}
    for one in rows.values():
        key = one.pop("stream_key", None)
        one["points"] = inbox.points(key).num_rows if key else 0
        del one["ingested_at"]
    return rows


@pytest.mark.parametrize("step", range(1, 8))
def test_stopped_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Whatever was landed or remembered last, nothing is lost, doubled or left half done."""
    calm, disturbed = filled(tmp_path / "calm"), filled(tmp_path / "disturbed")
    calm.pull()
    steps = 0

    def count_down() -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            raise Interrupted(15)

    def before(module: object, name: str) -> None:
        real = getattr(module, name)

        def stopping(*arguments: object, **options: object) -> object:
            count_down()
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, stopping)

    before(bronze, "land_shard")
    before(index, "remember_decoded")
    before(index, "remember_landed")
    with pytest.raises(Interrupted):
        disturbed.pull()
    monkeypatch.undo()
    disturbed.pull()
    assert newest(disturbed) == newest(calm)
    assert disturbed.quarantine() == calm.quarantine()
    assert disturbed.leftovers() == []
    assert disturbed.pull().decoded == 0


def test_killed_at_work(tmp_path: Path) -> None:
    """Killed without warning while workers write, the next pull completes and leaves no litter."""
    calm, disturbed = filled(tmp_path / "calm"), filled(tmp_path / "disturbed")
    for day in range(3, 25):
        for inbox in (calm, disturbed):
            inbox.put(f"{day}.fit", fit_bytes(day))
    calm.pull()
    program = "import sys; from tests.sources.inbox import again; again(sys.argv[1])"
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "disturbed")]) as victim:
        spool = disturbed.folders.bronze / "files" / "original_files" / "athlete=me" / "spool"
        while victim.poll() is None and not (spool.exists() and any(spool.iterdir())):
            pass
        victim.kill()
    disturbed.pull()
    assert newest(disturbed) == newest(calm)
    assert disturbed.leftovers() == []
