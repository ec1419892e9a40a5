"""Secrets where they are kept and where they might be said: who may read them, what goes out."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import StandingClock
from tests.upstream.content_faults import HOSTILE_NAMES
from tracklake import config, doctor, logs, redaction, secret_files
from tracklake.errors import ConfigError
from tracklake.redaction import REMOVED

SECRET = "Zx81-a-secret/with+signs&more"  # noqa: S105 made up
HOSTILE = (
    *HOSTILE_NAMES,
    "end of line\u2028separator\u2029next\x85line\x0b\x0c\x1c\x1d\x1e",
    "\x1b[31mred\x1b]0;title\x07",
    '"quoted", {"event": "forged"}\n{"event": "forged"}',
)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with nothing but its files to go by."""
    given = os.environ  # noqa: TID251 a child needs some of it
    return subprocess.run(
        [sys.executable, "-m", "tracklake", *words],
        cwd=folder,
        env={name: given[name] for name in ("PATH", "PYTHONPATH") if name in given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def kept(folder: Path, name: str, mode: int) -> Path:
    """Put a secret into the folder of secrets."""
    path = folder / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SECRET)
    path.chmod(mode)
    return path


# ---- who may read them


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o666, 0o620])
@pytest.mark.parametrize(
    "name", ["STRAVA_CLIENT_SECRET", "strava_token.json", "anna/INTERVALS_API_KEY"]
)
def test_a_secret_open_to_others_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    """Whatever others may do with a login or a key, settings are refused, naming the command."""
    path = kept(tmp_path, name, mode)
    with pytest.raises(ConfigError, match=f"others may read .*chmod 600 {path}"):
        config.load(secrets_dir=tmp_path / "secrets")
    path.chmod(0o600)
    config.load(secrets_dir=tmp_path / "secrets")


def test_the_command_ends_with_2_and_the_doctor_goes_on(tmp_path: Path) -> None:
    """A flow does not start, says which file, and not what is in it; the doctor lists the file."""
    kept(tmp_path, "STRAVA_CLIENT_SECRET", 0o644)
    kept(tmp_path, "INTERVALS_API_KEY", 0o640)
    refused, found = run(tmp_path, "flow"), run(tmp_path, "doctor")
    assert refused.returncode == 2
    assert "chmod 600 secrets/INTERVALS_API_KEY secrets/STRAVA_CLIENT_SECRET" in refused.stderr
    assert not (tmp_path / "data").exists()
    assert found.returncode == 1
    assert "others may read secrets/STRAVA_CLIENT_SECRET" in found.stdout
    assert SECRET not in refused.stderr + refused.stdout + found.stdout + found.stderr
    assert "Traceback" not in refused.stderr + found.stderr


def test_what_an_engine_gives_is_taken_as_it_is() -> None:
    """A file of root's that we could not close is not refused: so lie Docker's in /run/secrets."""
    report = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (report.returncode, report.stdout) == (0, "[]\n"), report.stderr


_AS_NOBODY = """
import os, pathlib, tempfile
from tracklake import secret_files
os.umask(0o022)
with tempfile.TemporaryDirectory() as place:
    folder = pathlib.Path(place)
    folder.chmod(0o755)
    (folder / "STRAVA_CLIENT_SECRET").write_text("x")
    (folder / "STRAVA_CLIENT_SECRET").chmod(0o444)
    if os.geteuid() == 0:
        assert list(secret_files.open_ones(folder))  # root could close it
        os.seteuid(12345)
        print(list(secret_files.open_ones(folder)))
        os.seteuid(0)
    else:
        print([])  # only root can give us a file of root's
"""


def test_a_disk_that_keeps_modes_is_known(tmp_path: Path) -> None:
    """The probe leaves nothing, and finds that a file can be closed here."""
    assert secret_files.keeps_modes(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not secret_files.is_open(os.stat_result((stat.S_IFREG | 0o600, *range(9))))
    assert secret_files.is_open(os.stat_result((stat.S_IFREG | 0o604, *range(9))))


def test_an_env_file_open_to_others_is_said(tmp_path: Path) -> None:
    """The doctor names a `.env` with a secret in it that others may read, and how to close it."""
    (tmp_path / ".env").write_text(f"STRAVA_CLIENT_SECRET={SECRET}\n")
    (tmp_path / ".env").chmod(0o644)
    found = run(tmp_path, "doctor")
    assert found.returncode == 1
    assert "chmod 600 .env" in found.stdout
    assert SECRET not in found.stdout + found.stderr


def test_the_doctor_and_the_settings_agree(tmp_path: Path) -> None:
    """What settings refuse is what the doctor calls bad."""
    assert callable(doctor.everything)
    path = kept(tmp_path, "any.json", 0o644)
    assert list(secret_files.open_ones(tmp_path / "secrets")) == [path]
    (tmp_path / "secrets" / ".gitkeep").touch(mode=0o644)
    assert list(secret_files.open_ones(tmp_path / "secrets")) == [path]


# ---- what is taken out of what is said

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_secrets = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=8, max_size=60)


@given(_texts, _secrets.filter(lambda one: one not in REMOVED), _texts)
def test_a_value_is_taken_out_wherever_it_stands(before: str, secret: str, after: str) -> None:
    """A secret's value is gone from any text around it."""
    said = redaction.without(before + secret + after, redaction.pattern([secret]))
    assert secret not in said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Authorization: Bearer abcdef0123", f"Authorization: Bearer {REMOVED}"),
        ("Basic QVBJX0tFWTphYmM=", f"Basic {REMOVED}"),
        ("GET /x?page=2&access_token=abc&z=1", f"GET /x?page=2&access_token={REMOVED}&z=1"),
        ("https://u:p4ss@host/x", f"https://{REMOVED}@host/x"),
        ("the key of a run, a basic one: 3 tokens", "the key of a run, a basic one: 3 tokens"),
        ("https://host/athlete/activities", "https://host/athlete/activities"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(said: str, left: str) -> None:
    """Headers, queries and addresses lose their secrets though nobody learnt the values."""
    assert redaction.text(said) == left


def test_names_of_fields_tell_secrets() -> None:
    """A field named as a secret is emptied, however deep, and counts and other words stay."""
    said = redaction.event(
        {
            "event": "x",
            "client_secret": "a",
            "deep": [{"Api-Key": "b", "token_count": 3, "n": 1.5}],
            "tokens": 7,
            "path": Path("/a/b"),
            "none": None,
        }
    )
    assert said == {
        "event": "x",
        "client_secret": REMOVED,
        "deep": [{"Api-Key": REMOVED, "token_count": 3, "n": 1.5}],
        "tokens": 7,
        "path": "/a/b",
        "none": None,
    }


def test_every_secret_that_is_loaded_is_known(tmp_path: Path) -> None:
    """Once settings are loaded, their secrets go from texts, also as JSON and URLs have them."""
    kept(tmp_path, "STRAVA_CLIENT_SECRET", 0o600)
    config.load(
        secrets_dir=tmp_path / "secrets",
        heartbeat_url="http://host.test/ping/0123456789abcdef0123",
    )
    quoted = "Zx81-a-secret%2Fwith%2Bsigns%26more"
    assert redaction.text(f"a {SECRET} b {quoted} c") == f"a {REMOVED} b {REMOVED} c"
    assert redaction.text("at 0123456789abcdef0123, status ok") == f"at {REMOVED}, status ok"


# ---- lines of logs


def written(folder: Path, *names: str) -> tuple[str, str]:
    """Log names as an event each; return the text and the JSON lines as they lie on disk."""
    with logs.writing(folder, "stamp", StandingClock()) as path:
        for name in names:
            structlog.get_logger().warning("item_set_aside", item=name, message=name)
    [lines] = folder.rglob("*.jsonl")
    return path.read_text("utf-8"), lines.read_text("utf-8")


def test_hostile_names_stay_on_one_line(tmp_path: Path) -> None:
    """Newlines, NUL, lone surrogates, RTL, escapes, 10 kB: one line each, and JSON that says it."""
    text, lines = written(tmp_path, *HOSTILE)
    assert len(text.splitlines()) == len(lines.splitlines()) == len(HOSTILE)
    for said, name in zip(lines.splitlines(), HOSTILE, strict=True):
        event = json.loads(said)
        assert event["event"] == "item_set_aside"
        assert event["item"] == name.encode(errors="backslashreplace").decode()
    steering = [sign for sign in text if not sign.isprintable() and sign != "\n"]
    assert steering == []


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_any_name_stays_on_one_line(names: list[str]) -> None:
    """Whatever a name is, an event is one line of text and one of JSON."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        text, lines = written(Path(folder), *names)
    assert len(text.splitlines()) == len(lines.splitlines()) == len(names)
