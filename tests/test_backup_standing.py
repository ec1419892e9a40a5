"""How it stands with the backups: what status, the doctor and /health say; whose they are."""

import datetime as dt
import shutil
from pathlib import Path

import orjson
import pytest

from tests.test_backup import LATER, Lake, grown, run, whole
from tracklake import doctor, status
from tracklake.backup import catalogue, retention, standing
from tracklake.doctor import session_records
from tracklake.errors import Busy
from tracklake.serving import judgement

DAY = dt.timedelta(days=1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a place with two activities."""
    return grown(tmp_path, 2)


def told(lake: Lake) -> dict[str, object]:
    """Return what status says of the backups."""
    found = status.status(lake.folders, clock=lake.clock)["backup"]
    assert isinstance(found, dict)
    return found


def test_status_tells_of_the_last_one(lake: Lake) -> None:
    """Before the first there is nothing to tell; then its name, moment, place and their number."""
    lake.session  # noqa: B018 makes the state database
    assert status.status(lake.folders)["backup"] is None
    lake.create()
    name = lake.create().name
    found = told(lake)
    last = found["last"]
    assert isinstance(last, dict)
    assert (last["name"], last["count"]) == (name, 2)
    assert last["gold_hash"] == lake.made().gold_hash
    assert (found["is_old"], found["troubles"], found["verified"]) == (False, [], None)


def test_verify_and_drill_are_remembered(lake: Lake) -> None:
    """The commands leave in the state when they ran and what they found, also what is wrong."""
    lake.create()
    assert run(lake.folder, "verify", "--full").returncode == 0
    assert run(lake.folder, "restore", "--drill").returncode == 0
    found = told(lake)
    assert isinstance(found["verified"], dict)
    assert isinstance(found["drilled"], dict)
    assert (found["verified"]["damaged"], found["drilled"]["error"]) == (0, "")
    victim = next(iter(lake.store.items("objects"))).name
    lake.store.put({victim: b"damaged"})
    assert run(lake.folder, "verify").returncode == 1
    assert run(lake.folder, "restore", "--drill").returncode == 1
    troubles = told(lake)["troubles"]
    assert isinstance(troubles, list)
    assert [("damaged when" in one, "on trial" in one) for one in troubles] == [
        (True, False),
        (False, True),
    ]
    findings = session_records.examine(lake.folders, lake.clock.now())
    assert sum(one.subject == "backup" and not one.is_well for one in findings) == 2


def test_after_48_hours_it_is_old(lake: Lake) -> None:
    """Two days after the last proof status, doctor and /health say so; a flow that finds nothing
    new proves it again.
    """
    whole(lake)
    lake.clock.moment += 1.9 * DAY
    assert told(lake)["is_old"] is False
    lake.clock.moment += 0.2 * DAY
    assert told(lake)["is_old"] is True
    findings = list(session_records.examine(lake.folders, lake.clock.now()))
    assert [one.is_well for one in findings if one.subject == "backup"] == [False]
    kept = standing.read(lake.session.state.execute(standing.READ))
    assert kept is not None
    facts = judgement.Facts(backed_up_at=kept.current_at)
    assert [one.code for one in judgement.reasons(facts, lake.clock.now())] == ["backup_old"]
    assert whole(lake).backup is None
    assert told(lake)["is_old"] is False


def test_the_doctor_is_content_with_a_fresh_one(lake: Lake) -> None:
    """With a backup of today there is one finding about backups, and it is a good one."""
    lake.create()
    findings = doctor.examine(lake.folders, lake.session.settings, clock=lake.clock)
    assert [one.is_well for one in findings if one.subject == "backup"] == [True]


def test_backups_that_vanished_are_made_again(lake: Lake) -> None:
    """If the place is emptied, the next flow makes a backup though nothing changed."""
    whole(lake)
    shutil.rmtree(lake.folders.data / "backups")
    made = whole(lake).backup
    assert made is not None
    assert made.error is None
    assert lake.damage() == []


def test_what_a_command_changed_the_next_flow_backs_up(lake: Lake) -> None:
    """Gold that compact alone changed is in the backup of the next flow, which changes nothing."""
    whole(lake)
    lake.grow(3)
    assert whole(lake).backup is not None
    assert lake.made().tables["records"][0] == 3
    assert whole(lake).backup is None


def test_another_data_folder_at_the_same_place_is_told(tmp_path: Path) -> None:
    """Who finds that the last backup is somebody else's says so, each time, and keeps both."""
    place = tmp_path / "shared"
    place.mkdir()
    mine = grown(tmp_path / "mine", 1, str(place))
    theirs = grown(tmp_path / "theirs", 2, str(place))
    assert mine.create().warnings == []
    assert theirs.create().warnings == []  # it cannot know: it never made one
    [said] = mine.create().warnings
    assert "not made from this data folder" in said
    assert len(mine.names()) == 3
    assert mine.damage() == []


def test_two_machines_at_once_in_a_folder(lake: Lake) -> None:
    """A backup that was begun before another one ended does not take the pointer from it."""
    lake.create()
    before = catalogue.named(lake.store)
    newer = lake.create().name
    with pytest.raises(Busy, match="another machine"):
        lake.store.point("latest", b"mine", before)
    assert catalogue.named(lake.store) == newer.encode()


def test_after_a_restore_the_place_is_ours(lake: Lake, tmp_path: Path) -> None:
    """After a restore, in place or into a folder, the next backup takes no one for a stranger."""
    first = lake.create().name
    lake.grow(3)
    lake.create()
    lake.session.state.close()
    assert run(lake.folder, "restore", "--at", first).returncode == 0
    assert run(lake.folder, "restore", "--to", "elsewhere").returncode == 0
    (lake.folder / "elsewhere").rename(tmp_path / "new")
    url = {"TRACKLAKE_BACKUP_URL": str(lake.folders.data / "backups")}
    again = run(lake.folder, "create")
    assert (again.returncode, "not made from" in again.stdout + again.stderr) == (0, False)
    moved = run(lake.folder, "create", **url, TRACKLAKE_DATA_DIR=str(tmp_path / "new"))
    assert moved.returncode == 0, moved.stderr


def test_a_clock_that_was_set_back_thins_nothing_new(lake: Lake) -> None:
    """40 backups after the clock was ten years ahead: the last 30 of now are all there."""
    made = [f"{LATER + n * DAY:%Y%m%dT%H%M%S.%fZ}-{'0' * 12}" for n in range(3650, 3690)]
    now = [f"{LATER + n * DAY:%Y%m%dT%H%M%S.%fZ}-{'1' * 12}" for n in range(40)]
    kept = retention.kept([*made, *now], LATER + 40 * DAY)
    assert set(now[-30:]) <= kept
    assert set(made[-30:]) <= kept
    lake.create()
    lake.clock.moment -= DAY
    lake.create()
    assert catalogue.chosen(lake.store, None) == lake.names()[0]  # made last, dated first


def test_the_answers_are_compared(lake: Lake, tmp_path: Path) -> None:
    """A restored warehouse is asked what it was asked before; another answer is refused."""
    lake.create()
    made = lake.made()
    assert made.answers["activities"][0] == 2
    assert "personal_records" in made.answers
    proof = lake.restore_to(tmp_path / "other")
    assert proof.answers == len(made.answers) > 5


def test_backups_list_tells_json(lake: Lake) -> None:
    """`status --json` carries the same, for machines."""
    lake.create()
    assert orjson.loads(orjson.dumps(told(lake)))["last"]["where"].endswith("backups")
