"""The demo: a made-up athlete's files, in a data folder of their own."""

from tracklake import config
from tracklake.clock import Clock
from tracklake.config import Folders, Settings
from tracklake.sample import inbox
from tracklake.sample.inbox import SampleSummary

ATHLETE = "demo"


def place() -> tuple[Settings, Folders]:
    """Return the demo's settings: everything below `demo` in the data folder."""
    _, folders = config.load()
    settings, theirs = config.load(
        data_dir=folders.data / "demo",
        logs_dir=folders.data / "demo" / "logs",
        inbox=folders.data / "demo" / "inbox",
        athlete=ATHLETE,
        sources=("files",),
        weather=False,  # a made-up athlete: nobody is to be asked for anything
    )
    alone = {"default_athlete": ATHLETE, "inbox": theirs.data / "inbox"}  # there is nobody else
    return settings, theirs.model_copy(update=alone)


def write_inbox(folders: Folders, clock: Clock) -> SampleSummary:
    """Write the sample athlete's files; the same day gives the same bytes."""
    return inbox.write_inbox(folders.inbox, until=clock.now().date())
