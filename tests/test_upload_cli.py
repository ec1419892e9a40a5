"""`tracklake upload` as a person types it: a real process, its exit code and its sentences."""

from pathlib import Path

import pytest

from tests.test_cli import run
from tests.upload_place import posts, upload_place
from tests.upstream.clock import ShiftedClock
from tests.upstream.control import ControlledStrava


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "yesterday"), "--since: yesterday is no day"),
        (("--sport", "Runing"), "--sport: there is no Runing"),
        ((), "there is nowhere to upload to: Strava is not set up"),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """A wrong day, a wrong sport, no Strava: exit code 2, and what to do."""
    done = run(tmp_path, "upload", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_before_the_list_was_read_it_says_what_to_run(tmp_path: Path) -> None:
    """With Strava set up and never read: exit code 2, `make run-all`, and no call."""
    with ControlledStrava(clock=ShiftedClock()) as upstream:
        done = run(tmp_path, "upload", **upstream.environment())
        assert upstream.calls == []
    assert done.returncode == 2
    assert "make run-all" in done.stderr


def test_a_dry_run_and_a_login_that_may_not_write(tmp_path: Path) -> None:
    """The plan is shown, oldest first; without the permission the real run ends with 3."""
    with upload_place(tmp_path, scopes=("read", "activity:read_all")) as place:
        place.advance(seconds=-1)
        place.token_path.unlink()
        place.log_in()
        known = place.upstream.environment() | {"TRACKLAKE_SOURCES": "strava"}
        known.pop("STRAVA_REFRESH_TOKEN")
        shown = run(tmp_path, "upload", "--dry-run", "--sport", "RUN", **known)
        assert shown.returncode == 0, shown.stderr
        lines = [line for line in shown.stdout.splitlines() if line.startswith("  2024")]
        assert [line.split()[0] for line in lines] == ["2024-05-01", "2024-05-03", "2024-05-05"]
        assert "to upload: 3" in shown.stdout
        done = run(tmp_path, "upload", **known)
        assert done.returncode == 3
        assert "TRACKLAKE_UPLOAD=on" in done.stderr
        assert posts(place) == []
