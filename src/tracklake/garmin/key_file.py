"""What is kept of a personal key: the token that it was exchanged for, and when the key ends.

The file is `garmin_personal_token.json` in the athlete's folder of secrets. It never holds the key.
"""

import datetime as dt
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import orjson

from tracklake import landing, redaction
from tracklake.errors import StorageError
from tracklake.identity import bytes_hash
from tracklake.tokens import file as token_file

KEY_PAGE = "https://connect.garmin.com/app/settings/personalApiToken"
WARN_DAYS = (14, 7, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """fingerprint: of the key that all else is about. use_until: when another token is to be got,
    UNIX s, some minutes before this one ends. key_ends_on: the key's own end (ISO date), which only
    its owner knows.
    """

    fingerprint: str
    access_token: str = field(default="", repr=False)
    use_until: float = 0.0
    key_ends_on: str | None = None

    def __post_init__(self) -> None:
        redaction.learn(self.access_token)

    @property
    def ends_on(self) -> dt.date | None:
        """Return the key's last day."""
        try:
            return dt.date.fromisoformat(self.key_ends_on or "")
        except (TypeError, ValueError):
            return None


def folder_of(secrets: Path, athlete: str, default_athlete: str) -> Path:
    """Return where an athlete's secrets lie; all but the default athlete have their own."""
    return secrets if athlete == default_athlete else secrets / athlete


def path_of(secrets: Path, athlete: str, default_athlete: str) -> Path:
    """Name the file."""
    return folder_of(secrets, athlete, default_athlete) / "garmin_personal_token.json"


def fingerprint_of(key: str) -> str:
    """Return what tells one key from another."""
    return bytes_hash(key.encode())


def read(path: Path) -> Kept | None:
    """Read the file; None if there is none that is whole. Raises StorageError."""
    try:
        found = orjson.loads(path.read_bytes())
        known = {one.name for one in fields(Kept)}
        kept = Kept(**{name: value for name, value in found.items() if name in known})
        return replace(kept, use_until=float(kept.use_until))
    except (FileNotFoundError, AttributeError, TypeError, ValueError):
        return None
    except OSError as error:
        raise StorageError(f"the login {path} cannot be read ({error})") from error


def write(path: Path, kept: Kept) -> None:
    """Keep it, for its owner's eyes only; it is on disk when this returns. Raises StorageError.

    Whoever calls it holds the file's lock (`tokens.file.alone`).
    """
    write_private(path, orjson.dumps(asdict(kept), option=orjson.OPT_INDENT_2))


def write_private(path: Path, data: bytes) -> None:
    """Put a secret into a file, durably. Raises StorageError."""
    try:
        with token_file.room(path) as temporary:
            temporary.write_bytes(data)
            landing.adopt(temporary, path)
    except OSError as error:
        raise StorageError(f"the login {path} cannot be kept ({error})") from error


def days_left(ends_on: dt.date, today: dt.date) -> int:
    """Return how many days a key is still good; negative when it is over."""
    return (ends_on - today).days


def due_warning(left: int) -> int | None:
    """Return which warning a key with so many days left calls for: 14, 7 or 1 days before."""
    return min((days for days in WARN_DAYS if left <= days), default=None)


def sentence(left: int, ends_on: dt.date) -> str:
    """Say when the key ends and what to do."""
    if left < 0:
        when = f"has ended on {ends_on}"
    elif left == 0:
        when = "ends today"
    else:
        when = f"ends in {left} {'day' if left == 1 else 'days'}, on {ends_on}"
    return f"the key of Garmin's Personal API {when}"


ADVICE = (
    f"make a new key at {KEY_PAGE} and give it to `tracklake auth garmin`, or put it where "
    "GARMIN_PERSONAL_API_KEY is set"
)
