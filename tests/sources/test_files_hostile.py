"""Files that mean harm, or are in a bad way: one entry in the quarantine each, the rest goes on."""

import datetime as dt
import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from tests.sources.inbox import Inbox, fit_bytes, run
from tests.sources.test_files import zipped
from tracklake import quarantine
from tracklake.errors import InvalidData
from tracklake.formats import gpx_writer
from tracklake.intake import expansion, looking
from tracklake.intake.originals import Job, Place
from tracklake.intake.workers import Limits

TIGHT = Limits(memory_bytes=512 << 20, cpu_s=1.0, cpu_s_per_mb=0.0)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def definition_bomb() -> bytes:
    """Write a FIT file that redefines a message of 255 fields of 255 bytes before each of them."""
    fields = b"".join(bytes((number, 255, 13)) for number in range(255))
    definition = b"\x40\0\0" + struct.pack("<HB", 20, 255) + fields
    body = (definition + b"\0" + bytes(255 * 255)) * 20
    return struct.pack("<BBHL4s", 12, 32, 2100, len(body), b".FIT") + body + b"\0\0"


def test_bombs_and_lies_are_set_aside_and_the_rest_goes_on(inbox: Inbox) -> None:
    """Bombs of every make cost one entry each; the good files beside them become records."""
    entity = '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    inbox.put("laughs.gpx", f"{entity}]><gpx>&j;</gpx>".encode())
    inbox.put("deep.tcx", b"<TrainingCenterDatabase>" + b"<a>" * 200_000)
    inbox.put("bomb.fit.gz", gzip.compress(bytes(64 << 20)))
    inbox.put("definitions.fit", definition_bomb())
    inbox.put("header.fit", struct.pack("<BBHL4s", 12, 32, 2100, 0xFFFFFFFF, b".FIT") + b"\0" * 20)
    inbox.put("good.fit", fit_bytes(1))
    report = inbox.pull()
    records = {str(row["external_id"]) for row in inbox.rows("activities")}
    assert "good.fit" in records
    assert {"laughs.gpx", "deep.tcx", "bomb.fit.gz"} <= set(inbox.quarantine())
    assert report.found == 6
    assert inbox.leftovers() == []


def test_members_that_mean_harm(inbox: Inbox, tmp_path: Path) -> None:
    """Slipping names write nothing outside; bad members are set aside by name, good ones land."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../slip.fit", fit_bytes(1))
        archive.writestr("/absolute.fit", fit_bytes(2))
        archive.writestr("bomb.fit", bytes(64 << 20))
        archive.writestr("bad.fit", fit_bytes(3), zipfile.ZIP_STORED)
        archive.writestr("nested.zip", b"PK\x03\x04 but no archive")
        archive.writestr("page.gpx", b"<html></html>")
    data = bytearray(memory.getvalue())
    at = data.find(fit_bytes(3))
    data[at + 60] ^= 0xFF
    inbox.put("evil.zip", bytes(data))
    before = sorted(tmp_path.iterdir())
    report = inbox.pull()
    assert inbox.quarantine() == {
        "evil.zip!bomb.fit": "bomb",
        "evil.zip!bad.fit": "bad_crc",
        "evil.zip!nested.zip": "bad_zip",
        "evil.zip!page.gpx": "not_activity",
    }
    assert report.activities == 2
    assert sorted(tmp_path.iterdir()) == before
    assert not list(tmp_path.rglob("slip.fit"))


def test_archives_that_are_refused_whole(inbox: Inbox) -> None:
    """Overlapping, cut, or too deeply nested archives are one entry each."""
    nested = zipped({"a.fit": fit_bytes(1)})
    for level in range(4):
        nested = zipped({f"{level}.zip": nested})
    inbox.put("matryoshka.zip", nested)
    inbox.put("cut.zip", zipped({"a.fit": fit_bytes(2)})[:-30])
    double = bytearray(zipped({"a.fit": fit_bytes(3), "b.fit": fit_bytes(4)}))
    second = double.rfind(b"PK\x01\x02")
    double[second + 42 : second + 46] = struct.pack("<L", 0)
    inbox.put("overlap.zip", bytes(double))
    inbox.put("good.fit", fit_bytes(5))
    report = inbox.pull()
    assert report.activities == 1
    assert inbox.quarantine() == {
        "matryoshka.zip!3.zip!2.zip!1.zip": "nested_too_deep",
        "cut.zip": "bad_zip",
        "overlap.zip": "bomb",
    }
    assert inbox.leftovers() == []


def test_an_archive_of_too_many_activities_is_refused(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More activity members than anyone has are not taken for an export."""
    monkeypatch.setattr(expansion, "MOST_ACTIVITIES", 2)
    path = inbox.put("many.zip", zipped({f"{n}.fit": fit_bytes(n) for n in range(4)}))
    place = Place(data=inbox.folders.data, athlete="me")
    with pytest.raises(InvalidData, match="more than 2"):
        expansion.expand(str(path), "many.zip", place)


def test_only_the_guilty_file_of_a_chunk_is_set_aside(inbox: Inbox) -> None:
    """A file that takes too long takes no other with it, and its original is kept."""
    for day in range(3):
        inbox.put(f"{day}.fit", fit_bytes(day))
    hog = gpx_writer.encode(run(7, 400)).replace(b"</trkseg>", b"")
    start, end = hog.find(b"<trkpt"), hog.rfind(b"</trkpt>") + 8
    inbox.put("a hog.gpx", hog[:start] + hog[start:end] * 600 + b"</trkseg></trk></gpx>")
    report = inbox.pull(limits=TIGHT)
    kept = {str(row["seen_as"]): row["outcome"] for row in inbox.rows("original_files")}
    assert report.activities == 3
    assert inbox.quarantine().keys() == {"a hog.gpx"}
    assert inbox.quarantine()["a hog.gpx"] == "timeout"
    assert kept["a hog.gpx"] == "quarantined"
    assert inbox.pull().decoded == 0
    assert inbox.leftovers() == []


def test_names_with_any_bytes(inbox: Inbox) -> None:
    """A name that is no text is shown escaped, and the file read like others."""
    folder = os.fsencode(inbox.folders.inbox)
    for name, day in ((b"\xff\xfe.fit", 1), (b"new\nline\x1b[31m.fit", 2), (b"bad\xff.gpx", 3)):
        path = Path(os.fsdecode(folder + b"/" + name))
        path.write_bytes(fit_bytes(day) if day < 3 else b"<html>")
    report = inbox.pull()
    names = {str(row["external_id"]) for row in inbox.rows("activities")}
    assert names == {"\\xff\\xfe.fit", "new\\x0aline\\x1b[31m.fit"}
    assert inbox.quarantine() == {"bad\\xff.gpx": "not_activity"}
    assert (inbox.pull().unchanged, report.activities) == (3, 2)


def test_what_cannot_be_read_is_said_and_tried_again(inbox: Inbox) -> None:
    """A folder that cannot be listed does not stop the rest, and is one entry."""
    inbox.put("good.fit", fit_bytes(3))
    inbox.put("deep/file.fit", fit_bytes(4))
    here = os.open(inbox.folders.inbox / "deep", os.O_RDONLY)
    for _ in range(20):  # deeper than a path may be long; root may read everything else
        os.mkdir("d" * 250, dir_fd=here)
        above, here = here, os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(above)
    os.close(here)
    report = inbox.pull()
    assert (report.activities, report.quarantined) == (2, 1)
    assert set(inbox.quarantine().values()) == {"unreadable"}
    assert inbox.pull().quarantined == 1


def test_what_cannot_be_opened_is_set_aside_without_its_bytes(inbox: Inbox) -> None:
    """A file that is listed but cannot be opened is one entry, and not remembered as seen."""
    folder = inbox.folders.inbox / "a.fit"
    folder.mkdir()
    session = inbox.session()
    session.state.close()
    chunk = looking.Chunk(
        jobs=(Job(path=str(folder), shown="a.fit", size_bytes=0),),
        place=Place(data=inbox.folders.data, athlete="me"),
        stamp="s",
        state=session.state.path,
    )
    (looked,) = looking.look(chunk)
    assert (looked.outcome, looked.reason, looked.location) == ("quarantined", "unreadable", None)


def test_what_vanishes_between_listing_and_reading_is_no_error(inbox: Inbox) -> None:
    """A file that is gone when its turn comes is nobody's fault."""
    path = inbox.put("gone.fit", fit_bytes(1))
    inbox.put("here.fit", fit_bytes(2))
    inbox.clock.moment = inbox.clock.moment.replace(year=1980)
    os.utime(path, (inbox.clock.moment.timestamp() - 1,) * 2)

    def vanish(seconds: float) -> None:
        path.unlink()
        type(inbox.clock).sleep(inbox.clock, seconds)

    inbox.clock.sleep = vanish  # type: ignore[method-assign] # something happens while we wait
    report = inbox.pull()
    assert (report.activities, inbox.quarantine()) == (1, {})


def test_a_large_file_is_read(inbox: Inbox) -> None:
    """A GPX file of 100 MB is decoded; a larger one than any real file is refused unread."""
    gpx = gpx_writer.encode(run(1, 3000))
    inbox.put("long.gpx", gpx.replace(b"</trkpt>", b"</trkpt>" + b" " * 33_000))
    huge = inbox.put("huge.fit", b"")
    os.truncate(huge, 300 << 20)
    report = inbox.pull()
    assert report.activities == 1
    assert inbox.quarantine() == {"huge.fit": "too_large"}


def test_two_thousand_small_files(inbox: Inbox) -> None:
    """Many files are many results, each once."""
    content = fit_bytes(1, 20)
    for number in range(2000):
        inbox.put(f"{number:04}.gpx", b'{"error": %d}' % number)
    inbox.put("last.fit", content)
    report = inbox.pull()
    assert (report.found, report.quarantined, report.activities) == (2001, 2000, 1)
    assert inbox.pull().unchanged == 2001


def test_what_was_bad_and_is_better_now_leaves_the_quarantine(inbox: Inbox) -> None:
    """A download that was completed, an archive made anew, a table mended: their entries go."""
    whole = zipped({"a.fit": fit_bytes(1), "b.fit": b"<html>"})
    inbox.put("cut.zip", whole[:-30])
    inbox.put("mended.zip", zipped({"x.zip": b"PK\x03\x04", "c.fit": fit_bytes(2)}))
    inbox.put("empty.fit", b"")
    inbox.pull()
    before = set(inbox.quarantine())
    inbox.put("cut.zip", whole)
    inbox.put("mended.zip", zipped({"c.fit": fit_bytes(2)}))
    report = inbox.pull()
    assert before == {"cut.zip", "mended.zip!x.zip", "empty.fit"}
    assert set(inbox.quarantine()) == {"cut.zip!b.fit", "empty.fit"}
    assert (report.activities, report.duplicates) == (1, 1)


def replace_unseen(path: Path, content: bytes) -> None:
    """Change a file's bytes so that neither its size nor its time tells."""
    status = path.stat()
    assert len(content) == status.st_size
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def retry(inbox: Inbox) -> None:
    """Have everything that is set aside tried again by the next pull."""
    session = inbox.session()
    quarantine.retry(session.state, quarantine.find(session.state, "all"), inbox.clock.now())
    session.state.close()


def attempts(inbox: Inbox) -> dict[object, object]:
    """Return the tries of each item so far."""
    session = inbox.session()
    found = {one["item"]: one["attempts"] for one in quarantine.items(session.state)}
    session.state.close()
    return found


def test_a_refused_archive_is_opened_again_when_it_is_due(inbox: Inbox) -> None:
    """Not before; each failure is one more attempt; `retry` makes it due; success releases it."""
    good = zipped({"a.fit": fit_bytes(1)})
    path = inbox.put("a.zip", good.replace(b"PK\x05\x06", b"PK\x05\x07"))
    inbox.put("a.zip.gpx", b"")
    inbox.pull()
    assert (inbox.pull().unchanged, attempts(inbox)["a.zip"]) == (2, 1)
    inbox.clock.moment += dt.timedelta(days=1)
    inbox.pull()
    inbox.clock.moment += dt.timedelta(days=1)
    assert (inbox.pull().unchanged, attempts(inbox)["a.zip"]) == (2, 2)
    replace_unseen(path, good)
    assert inbox.pull().activities == 0
    retry(inbox)
    assert inbox.pull().activities == 1
    assert attempts(inbox).keys() == {"a.zip.gpx"}
    assert inbox.pull().unchanged == 2


def test_a_member_that_cannot_be_read_is_tried_again_with_its_archive(inbox: Inbox) -> None:
    """Its attempts are counted on while the archive as such opens, and end when it is read."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("bad.fit", fit_bytes(1))
    good = memory.getvalue()
    bad = bytearray(good)
    bad[good.find(fit_bytes(1)) + 60] ^= 0xFF
    path = inbox.put("a.zip", bytes(bad))
    inbox.pull()
    for days in (1, 2):
        inbox.clock.moment += dt.timedelta(days=days)
        inbox.pull()
    assert (attempts(inbox), inbox.pull().unchanged) == ({"a.zip!bad.fit": 3}, 1)
    replace_unseen(path, good)
    retry(inbox)
    assert (inbox.pull().activities, attempts(inbox)) == (1, {})
