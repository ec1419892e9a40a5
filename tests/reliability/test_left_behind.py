"""What is written after a session has ended well, and killed then, is cleared away by the next."""

from pathlib import Path

from tests.sources.inbox import Inbox
from tracklake import landing, state, state_mending


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
