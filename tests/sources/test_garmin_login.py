"""`tracklake auth garmin`: a key and its end, and what of it is kept."""

import datetime as dt
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.garmin_place import KEY, GarminPlace, opened
from tracklake.errors import AuthError, ConfigError
from tracklake.garmin import key_file, login


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GarminPlace]:
    """Return a place without a key."""
    with opened(tmp_path) as found:
        found.key = None
        yield found


class Person:
    """Types these lines, one after the other; then nothing."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.said: list[str] = []

    def ask(self) -> str:
        """Return the next line."""
        return self.lines.pop(0) if self.lines else ""


def log_in(place: GarminPlace, person: Person, **more: Any) -> str:
    """Run the dialogue; return all that was said."""
    settings, folders = place.load()
    login.login(
        settings,
        folders,
        place.athlete,
        default_athlete=folders.default_athlete,
        say=person.said.append,
        ask=person.ask,
        ask_hidden=person.ask,
        clock=place.clock,
        **more,
    )
    return "\n".join(person.said)


def test_a_pasted_key_is_tried_and_kept(place: GarminPlace) -> None:
    """The key lies in a file of the secrets folder, closed to others; the next pull uses it."""
    ends = place.clock.now().date() + dt.timedelta(days=90)
    said = log_in(place, Person(f" {KEY}\n", f"{ends}"))
    assert "ends in 90 days" in said
    assert KEY not in said
    kept = place.folders.secrets / "GARMIN_PERSONAL_API_KEY"
    assert kept.read_text("utf-8") == KEY
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    place.upload()
    place.pull()
    assert len(place.rows()) == 1
    assert place.upstream.exchanges == 1  # the pull goes on with the token of the login
    told = key_file.read(place.token_path)
    assert told is not None
    assert told.ends_on == ends


def test_a_key_of_the_settings_is_only_asked_for_its_end(place: GarminPlace) -> None:
    """A key that is set elsewhere stays there; without an end it is said that none is known."""
    place.key = KEY
    said = log_in(place, Person())
    assert "is not known" in said
    assert not (place.folders.secrets / "GARMIN_PERSONAL_API_KEY").exists()
    assert key_file.read(place.token_path) is not None


def test_a_known_end_stays_until_another_is_told(place: GarminPlace) -> None:
    """Whoever tries the key again and presses Enter does not lose the date and its warnings."""
    ends = place.clock.now().date() + dt.timedelta(days=90)
    place.key = KEY
    log_in(place, Person(f"{ends}"))
    said = log_in(place, Person())
    assert f"{ends}" in said
    told = key_file.read(place.token_path)
    assert told is not None
    assert told.ends_on == ends


def test_a_key_that_ended_makes_room_for_another(place: GarminPlace) -> None:
    """Where a key was pasted before, another can be, and has an end of its own; Enter keeps it."""
    log_in(place, Person(KEY, f"{place.clock.now().date()}"))
    log_in(place, Person())
    kept = place.folders.secrets / "GARMIN_PERSONAL_API_KEY"
    assert kept.read_text("utf-8") == KEY
    place.upstream.keys = {"another-key"}
    said = log_in(place, Person("another-key"))
    assert "paste" in said
    assert kept.read_text("utf-8") == "another-key"
    told = key_file.read(place.token_path)
    assert told is not None
    assert told.ends_on is None


def test_another_athletes_key_lies_with_them(place: GarminPlace) -> None:
    """The key of another athlete lies in their own folder, and is nobody else's."""
    place.athlete = "anna"
    log_in(place, Person(KEY))
    assert (place.folders.secrets / "anna" / "GARMIN_PERSONAL_API_KEY").exists()
    place.upload()
    place.pull()
    assert len(place.rows()) == 1


@pytest.mark.parametrize("wrong", ["next year", "2020-01-01", "2031-01-01", "31.12.2026"])
def test_an_end_that_cannot_be(place: GarminPlace, wrong: str) -> None:
    """What is no date, over or too far away is asked for again."""
    ends = place.clock.now().date() + dt.timedelta(days=30)
    log_in(place, Person(KEY, wrong, f"{ends}"))
    told = key_file.read(place.token_path)
    assert told is not None
    assert told.ends_on == ends


def test_a_key_that_garmin_does_not_know(place: GarminPlace) -> None:
    """A wrong key is said to be so, and nothing is kept."""
    with pytest.raises(AuthError, match="make a new key at"):
        log_in(place, Person("wrong-key"))
    assert not (place.folders.secrets / "GARMIN_PERSONAL_API_KEY").exists()


@pytest.mark.parametrize("key", ["two words", "schlüssel", "a\tb"])
def test_what_can_be_no_key(place: GarminPlace, key: str) -> None:
    """What cannot be sent is no key; it is not repeated, and no call is made."""
    with pytest.raises(ConfigError, match="copy it again") as raised:
        log_in(place, Person(key))
    assert key not in str(raised.value)
    place.key = key
    with pytest.raises(ConfigError, match="GARMIN_PERSONAL_API_KEY"):
        place.pull()
    assert place.upstream.calls == []


def test_nothing_given(place: GarminPlace) -> None:
    """Without a key, and without the community client, there is nothing to log in with."""
    with pytest.raises(ConfigError, match="no key was given"):
        log_in(place, Person())


def test_the_command(place: GarminPlace) -> None:
    """`tracklake auth garmin` takes key and date from a pipe, and `status` then counts the days."""
    given = {
        "PATH": os.environ["PATH"],  # noqa: TID251 the program is to be found
        "GARMIN_PERSONAL_API_BASE_URL": place.upstream.url,
        "TRACKLAKE_DATA_DIR": str(place.folder / "data"),
        "TRACKLAKE_SECRETS_DIR": str(place.folder / "secrets"),
        "TRACKLAKE_LOGS_DIR": str(place.folder / "logs"),
    }

    def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tracklake", *words],
            input=typed,
            capture_output=True,
            text=True,
            env=given,
            cwd=place.folder,
            timeout=60,
            check=False,
        )

    refused = run("auth", "garmin", typed="wrong-key\n")
    assert refused.returncode == 3
    ends = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=100)  # noqa: TID251 the program's day
    done = run("auth", "garmin", typed=f"{KEY}\n{ends}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ends in 100 days" in done.stdout
    assert "Garmin: 100 days left of the key" in run("status").stdout
    assert '"key_ends_on"' in run("status", "--json").stdout
