"""Who is at home here: the usual athlete, and those who have logins, an inbox or data there."""

import re
from collections.abc import Iterator
from pathlib import Path

from tracklake.config import Folders
from tracklake.errors import ConfigError
from tracklake.setting_values import athlete as checked

_OWN = "athlete="  # how folders of one athlete are named


def known(folders: Folders) -> list[str]:
    """Return all athletes by name, the usual one first."""
    found = {name for name in _named(folders) if _is_a_name(name)} - {folders.default_athlete}
    return [folders.default_athlete, *sorted(found)]


def expect(folders: Folders, name: str) -> None:
    """Raise ConfigError for a name that nobody has here: mistyped, most likely."""
    there = known(folders)
    if name not in there:
        raise ConfigError(f"there is no athlete {name} here; there are: {', '.join(there)}")


def _named(folders: Folders) -> Iterator[str]:
    yield from (path.name for path in _folders(folders.secrets))
    inbox = folders.inbox.parent if folders.inbox.name.startswith(_OWN) else folders.inbox
    places = [
        inbox,
        *(entity for source in _folders(folders.bronze) for entity in _folders(source)),
    ]
    for place in places:
        for path in _folders(place):
            if path.name.startswith(_OWN):
                yield path.name.removeprefix(_OWN)


def _folders(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []


def _is_a_name(name: str) -> bool:
    if re.search(r"_tokens?$", name):  # what a service's own client keeps
        return False
    try:
        checked(name)
    except ValueError:
        return False
    return True
