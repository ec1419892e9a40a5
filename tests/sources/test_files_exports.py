"""Strava's export through the source: rows and files meet, changes land, nothing lands twice."""

import os
from pathlib import Path

import pytest

from tests.sources.inbox import Inbox, fit_bytes
from tests.sources.test_files import zipped
from tests.sources.test_files_hostile import attempts, replace_unseen, retry
from tests.test_strava_export import ENGLISH, GERMAN, modern, table
from tracklake.identity import bytes_hash
from tracklake.intake import landings
from tracklake.sources import files

DATE = "Dec 9, 2022, 3:24:49 PM"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def row(number: int, name: str, file: str) -> list[str]:
    """Make an export's row."""
    fields = modern(ENGLISH, DATE, "Run", "9.44", file=file)
    return [str(number), fields[1], name, *fields[3:]]


def by_id(inbox: Inbox) -> dict[str, dict[str, object]]:
    """Return the newest landed row of each source id."""
    return {str(one["source_id"]): one for one in inbox.rows("activities")}


def test_rows_and_their_files_land_together(inbox: Inbox) -> None:
    """A row names the content of its file, lands in the same moment, and gear comes along."""
    members = {
        "export/activities.csv": table(
            ENGLISH,
            row(1, "Morning", "activities/1.fit.gz"),
            row(2, "Gym", ""),
            row(3, "Lost", "activities/3.gpx"),
        ),
        "export/activities/1.fit.gz": fit_bytes(1),
        "export/bikes.csv": b"Bike Name,Bike Brand,Bike Model,x\nPatria,Patria,Terra,\n",
        "export/media/1.jpg": b"\xff\xd8",
        "export/routes/1.gpx": b"<gpx><rte><rtept lat='1' lon='2'/></rte></gpx>",
    }
    inbox.put("export_42.zip", zipped(members))
    report = inbox.pull()
    rows = by_id(inbox)
    sha256 = bytes_hash(fit_bytes(1))
    first = rows["strava-export/1"]
    assert (first["file_sha256"], first["name"], first["strava_id"]) == (sha256, "Morning", 1)
    assert first["ingested_at"] == rows[sha256]["ingested_at"]
    assert (rows["strava-export/2"]["manual"], rows["strava-export/3"]["manual"]) == (True, False)
    assert rows["strava-export/3"]["file_sha256"] is None
    assert (report.exported, report.activities, report.not_activities) == (3, 1, 1)
    (gear,) = inbox.rows("gear")
    assert (gear["gear_id"], gear["model"]) == (first["gear_id"], "Terra")


def test_a_newer_export_lands_what_changed(inbox: Inbox) -> None:
    """Of a second export only the renamed and the new activity land; no file is decoded again."""
    old = [row(1, "Morning", "activities/1.fit"), row(2, "Noon", "activities/2.fit")]
    files = {"activities/1.fit": fit_bytes(1), "activities/2.fit": fit_bytes(2)}
    inbox.put("a.zip", zipped({"activities.csv": table(ENGLISH, *old), **files}))
    inbox.pull()
    new = [row(1, "Renamed", "activities/1.fit"), old[1], row(3, "Gym", "")]
    inbox.put("b.zip", zipped({"activities.csv": table(ENGLISH, *new), **files}))
    report = inbox.pull()
    assert (report.exported, report.decoded, report.duplicates) == (2, 0, 2)
    assert by_id(inbox)["strava-export/1"]["name"] == "Renamed"
    assert len(inbox.rows("activities")) == 6
    assert len(inbox.rows("gear")) == 1


def test_an_unpacked_export(inbox: Inbox) -> None:
    """A folder works like the archive, in German, with files whose .gz was unpacked by hand."""
    fields = modern(GERMAN, "09.12.2022, 15:24:49", "Lauf", "9,44", file="activities/1.fit.gz")
    inbox.put("strava/activities.csv", table(GERMAN, fields))
    inbox.put("strava/activities/1.fit", fit_bytes(1))
    inbox.pull()
    assert by_id(inbox)["strava-export/8228026758"]["file_sha256"] == bytes_hash(fit_bytes(1))
    assert inbox.pull().exported == 0


def test_a_file_that_comes_later_is_linked(inbox: Inbox) -> None:
    """When a row's file appears after the table was read, the row lands again with it."""
    inbox.put("x/activities.csv", table(ENGLISH, row(1, "Morning", "activities/1.fit")))
    inbox.put("x/activities/2.fit", fit_bytes(2))
    inbox.pull()
    before = by_id(inbox)["strava-export/1"]["file_sha256"]
    inbox.put("x/activities/1.fit", fit_bytes(1))
    report = inbox.pull()
    after = by_id(inbox)["strava-export/1"]["file_sha256"]
    assert (before, after, report.exported) == (None, bytes_hash(fit_bytes(1)), 1)


def test_a_bad_row_is_set_aside_by_its_line(inbox: Inbox) -> None:
    """A row that cannot be read is an entry of its own; the others land."""
    broken = row(2, "Noon", "")
    broken[1] = "someday"
    inbox.put("x/activities.csv", table(ENGLISH, row(1, "Morning", ""), broken))
    inbox.put("x/activities/1.fit", fit_bytes(1))
    report = inbox.pull()
    assert inbox.quarantine() == {"x/activities.csv line 4": "bad_row"}
    assert (report.exported, report.quarantined) == (1, 1)


def test_a_table_of_another_kind_is_said(inbox: Inbox) -> None:
    """An activities.csv that is not Strava's is set aside only where it stands like Strava's."""
    inbox.put("garmin/Activities.csv", b"Activity Type,Date,Favorite\nRunning,2024-01-01,false\n")
    inbox.put("x/activities.csv", b"id;date;name\n1;2;3\n")
    inbox.put("x/activities/1.fit", fit_bytes(1))
    inbox.pull()
    assert inbox.quarantine() == {"x/activities.csv": "unknown_table"}


def test_a_lost_state_database_lands_no_row_twice(inbox: Inbox) -> None:
    """What was landed of exports is known from bronze again."""
    content = table(ENGLISH, row(1, "Morning", ""), row(2, "Noon", ""))
    inbox.put("x.zip", zipped({"activities.csv": content}))
    inbox.pull()
    for path in inbox.folders.state.iterdir():
        path.unlink()
    assert (inbox.pull().exported, len(inbox.rows("activities"))) == (0, 2)


def test_a_copy_elsewhere_does_not_come_before_the_export(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that also lies outside the export becomes a record in the moment its row does."""
    monkeypatch.setattr(files, "_CHUNK_FILES", 1)
    monkeypatch.setattr(landings, "_BATCH_FILES", 1)
    inbox.put("a copy.fit", fit_bytes(1))
    members = {
        "activities.csv": table(ENGLISH, row(1, "Morning", "activities/1.fit")),
        "activities/1.fit": fit_bytes(1),
    }
    inbox.put("export.zip", zipped(members))
    report = inbox.pull()
    exported, record = by_id(inbox)["strava-export/1"], by_id(inbox)[bytes_hash(fit_bytes(1))]
    assert report.duplicates == 1
    assert exported["ingested_at"] == record["ingested_at"]


def test_a_refused_table_is_read_again_when_it_is_due(inbox: Inbox) -> None:
    """A new file beside it is no reason; `retry` is; once it is read its entry is gone."""
    good = table(ENGLISH, row(1, "Morning", "activities/1.fit"))
    path = inbox.put("x/activities.csv", b"id;" + bytes(len(good) - 3))
    inbox.put("x/activities/1.fit", fit_bytes(1))
    inbox.pull()
    assert inbox.quarantine() == {"x/activities.csv": "unknown_table"}
    replace_unseen(path, good)
    inbox.put("x/activities/2.fit", fit_bytes(2))
    assert (inbox.pull().exported, attempts(inbox)) == (0, {"x/activities.csv": 1})
    retry(inbox)
    assert (inbox.pull().exported, inbox.quarantine()) == (1, {})
    assert by_id(inbox)["strava-export/1"]["file_sha256"] == bytes_hash(fit_bytes(1))


def test_one_bad_table_does_not_drop_the_others(inbox: Inbox) -> None:
    """Of three exports in folders one loses its activities, one its gear; the rest lands."""
    for number, folder in enumerate("abc", 1):
        inbox.put(f"{folder}/activities.csv", table(ENGLISH, row(number, folder, "")))
        inbox.put(f"{folder}/bikes.csv", b"Bike Name,Bike Brand,Bike Model,x\nPatria,P,Terra,\n")
    young = inbox.put("young.txt", b"")
    now_s = inbox.clock.moment.timestamp() - 1
    os.utime(young, (now_s, now_s))

    def vanish(seconds: float) -> None:
        (inbox.folders.inbox / "a/activities.csv").unlink()
        (inbox.folders.inbox / "b/bikes.csv").unlink()
        type(inbox.clock).sleep(inbox.clock, seconds)

    inbox.clock.sleep = vanish  # type: ignore[method-assign] # something happens while we wait
    report = inbox.pull()
    assert set(by_id(inbox)) == {"strava-export/2", "strava-export/3"}
    assert set(inbox.quarantine()) == {"a/activities.csv", "b/bikes.csv"}
    assert (report.quarantined, len(inbox.rows("gear"))) == (2, 2)
