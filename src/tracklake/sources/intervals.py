"""intervals.icu."""

from collections.abc import Sequence
from pathlib import Path

from tracklake.config import Folders, Settings
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions

NAME = "intervals"


def is_configured(folders: Folders, settings: Settings) -> bool:  # noqa: ARG001 every source is asked alike
    """Tell whether there is a login."""
    return bool(settings.intervals_api_key)


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> ListReport:
    """Land what is new."""
    raise NotImplementedError
