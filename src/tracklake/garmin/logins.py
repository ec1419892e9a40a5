"""Which login an athlete has at Garmin, and where it lies; asks nobody."""

import re
from pathlib import Path

from tracklake.config import Folders, Settings
from tracklake.errors import ConfigError
from tracklake.garmin import key_file

_KEY = re.compile(r"[!-~]+")


def key_of(settings: Settings) -> str | None:
    """Return the key of the Personal API, if one is set."""
    key = settings.garmin_personal_api_key
    return key.get_secret_value().strip() or None if key else None


def checked(key: str) -> str:
    """Return a key if it can be one; raise ConfigError."""
    if not _KEY.fullmatch(key):
        raise ConfigError(
            "GARMIN_PERSONAL_API_KEY: a key has no spaces and no special letters; copy it again, "
            f"or make a new one at {key_file.KEY_PAGE}"
        )
    return key


def key_path(folders: Folders, athlete: str) -> Path:
    """Return where the token of an athlete's key lies."""
    return key_file.path_of(folders.secrets, athlete, folders.default_athlete)


def community_folder(folders: Folders, athlete: str) -> Path:
    """Return where the community client's login of an athlete lies."""
    own = key_file.folder_of(folders.secrets, athlete, folders.default_athlete)
    return own / "garmin_tokens"


def community_tokens(folder: Path) -> Path:
    """Name the file in that folder in which the community client keeps its tokens."""
    return folder / "garmin_tokens.json"
