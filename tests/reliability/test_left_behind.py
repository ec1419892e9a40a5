"""What a kill leaves before a session is entered, or after its end, the next one clears away."""

from pathlib import Path

from tests.rows import StandingClock
from tests.sources.inbox import Inbox
from tracklake import landing, logs, state, state_mending


def test_a_seal_that_was_killed(tmp_path: Path) -> None:
    """The half-made note of the closed state database goes when the next note is made."""
    inbox = Inbox(tmp_path)
    inbox.pull()
    folder = inbox.folders.state
    half = landing.temporary_beside(folder / state.SEAL)
    half.write_bytes(b"half")
    other = landing.temporary_beside(folder / "another")
    other.write_bytes(b"somebody else's")
    state_mending.seal(folder)
    assert (folder / state.SEAL).exists()
    assert not half.exists()
    assert other.exists()


def test_a_link_to_the_log_that_was_killed(tmp_path: Path) -> None:
    """The half-made link to the newest log, made first of all, is taken by the next flow."""
    folder = tmp_path / "flow"
    for stamp in ("20261126T050000Z-aaaaaa", "20261127T050000Z-bbbbbb"):
        folder.mkdir(exist_ok=True)
        (folder / ".latest-new").symlink_to("nowhere")
        with logs.writing(tmp_path, stamp, StandingClock()) as written:
            pass
        assert (folder / "latest.log").resolve() == written
        assert not [one for one in folder.iterdir() if one.name.startswith(".latest")]
