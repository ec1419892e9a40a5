"""Which code reads which kind of thing, and a sign of its text: what it failed on is read again as
soon as that code changes, and not for any other change.

A sign is `<kind> <hash>`. A kind that is not known, of an older release, counts as changed.
"""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

_PACKAGE = Path(__file__).parent
_JSON = ("json_text.py", "json_reader.py")
_SPORTS = ("sports.py", "sport_words.py")
_DECODING = (
    *("formats/*.py", "analysis/*.py", "model.py", *_SPORTS),
    *("intake/containers.py", "intake/zip_reader.py", "intake/looking.py"),
)
_LISTED = ("upstream/listed.py", "analysis/local_time.py", *_JSON, *_SPORTS)
_STRAVA = ("strava/facts.py", "strava/records.py", "enrichments/fetched.py", *_LISTED)

FILES = "files"
ORIGINALS = "originals"

_READERS: dict[str, tuple[str, ...]] = {
    FILES: (
        *_DECODING,
        *("intake/expansion.py", "intake/strava_export.py", "intake/export_dates.py"),
        *("intake/rows.py", "intake/folder_exports.py"),
    ),
    ORIGINALS: (*_DECODING, "intake/service_decoding.py"),
    "strava/activities": ("strava/records.py", *_LISTED),
    "strava/activity_details": ("enrichments/details.py", "strava/strict.py", *_STRAVA),
    "strava/activity_streams": (
        *("enrichments/streams.py", "strava/stream_sets.py", "analysis/*.py", "model.py"),
        *_STRAVA,
    ),
    "strava/activity_zones": ("enrichments/zones.py", *_STRAVA),
    "strava/gear": ("enrichments/gear.py", *_STRAVA),
    "garmin/activities": ("garmin/records.py", "garmin/sports.py", *_LISTED),
    "intervals/activities": ("intervals/records.py", *_LISTED),
    "intervals/activity_intervals": ("intervals/parts.py", "intervals/records.py", *_LISTED),
    "intervals/wellness": ("intervals/days.py", "intervals/records.py", *_LISTED),
    "smashrun/activities": ("smashrun/records.py", *_LISTED),
    "smashrun/activity_streams": (
        *("smashrun/details.py", "smashrun/recordings.py", "smashrun/splits.py"),
        *("smashrun/records.py", "analysis/*.py", "model.py", *_LISTED),
    ),
    "open_meteo/weather": ("weather/*.py", "enrichments/weather_pages.py", "json_text.py"),
    "nominatim/places": (
        *("places/nominatim.py", "places/lookup.py", "json_text.py"),
        "enrichments/places_pages.py",
    ),
}

KINDS = tuple(_READERS)
_OF_OTHERS = ("json_reader.py", "upstream/landings.py")  # sources that are not our own


def kind_of(source: str, entity: str) -> str:
    """Name what is read of a source."""
    return f"{source}/{entity}"


def reads(kind: str) -> list[str]:
    """Return the files of the package that read a kind of thing, as paths below it."""
    patterns = _READERS.get(kind, _OF_OTHERS)
    found = {path for pattern in patterns for path in _PACKAGE.glob(pattern)}
    return sorted(path.relative_to(_PACKAGE).as_posix() for path in found)


@functools.cache
def of(kind: str) -> str:
    """Return the sign of the code that reads a kind of thing, as it is installed here."""
    return f"{kind} {text_hash((_PACKAGE / name for name in reads(kind)), _PACKAGE)}"


def text_hash(files: Iterable[Path], root: Path) -> str:
    """Return a hash of texts and their names; where each file ends is part of it."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def has_changed(version: str | None) -> bool:
    """Tell whether what failed then is read by other code now; nothing changed where none read."""
    if not version:
        return False
    kind = version.split(" ")[0]
    return of(kind) != version
