"""The dialogue of `tracklake auth garmin`: a key and its end, or e-mail, password and code."""

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracklake.client import Client
from tracklake.clock import Clock, SystemClock
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, ConfigError
from tracklake.garmin import community, key_file, logins
from tracklake.garmin.personal import PersonalLogin

_KEY = "GARMIN_PERSONAL_API_KEY"
_LONGEST = dt.timedelta(days=366)
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialogue:
    """Who sits at the terminal, and whose login it is."""

    settings: Settings
    folders: Folders
    athlete: str
    clock: Clock
    say: Callable[[str], None]
    ask: Callable[[], str]
    ask_hidden: Callable[[], str]


def login(  # noqa: PLR0913 every login is asked alike
    settings: Settings,
    folders: Folders,
    athlete: str,
    *,
    default_athlete: str,  # noqa: ARG001 every login is asked alike; the folders know it
    say: Callable[[str], None],
    ask: Callable[[], str],
    ask_hidden: Callable[[], str],
    clock: Clock | None = None,
) -> None:
    """Lead a person through the login and keep it.

    `ask` and `ask_hidden` return a line, or "" when none will come. Raises AuthError (Garmin says
    no), ConfigError (nothing was given), SourceError, StorageError.
    """
    person = _Dialogue(
        settings=settings,
        folders=folders,
        athlete=athlete,
        clock=clock or SystemClock(),
        say=say,
        ask=ask,
        ask_hidden=ask_hidden,
    )
    key = logins.key_of(settings)
    if key is not None and key != _pasted_before(person):
        say(f"The key in {_KEY} is used; to change it, change it where it is set.")
        _keep_key(person, key)
        return
    say(f"Make a key of the Personal API at {key_file.KEY_PAGE} and paste it here.")
    if key is not None:
        say(f"Or press Enter to keep the one that lies in {_pasted_path(person)}.")
    elif community.is_installed():
        say("Or press Enter to log in with e-mail and password, as Garmin's app does.")
    pasted = ask_hidden().strip()
    if pasted:
        _keep_key(person, pasted, is_new=True)
    elif key is not None:
        _keep_key(person, key)
    elif community.is_installed():
        _log_in_as_the_app(person)
    else:
        raise ConfigError(f"no key was given: make one at {key_file.KEY_PAGE}, and start again")


def _pasted_path(person: _Dialogue) -> Path:
    """Name the file in which a pasted key lies."""
    return logins.key_path(person.folders, person.athlete).parent / _KEY


def _pasted_before(person: _Dialogue) -> str | None:
    """Return the key that lies there, which another one may take the place of."""
    try:
        return _pasted_path(person).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _keep_key(person: _Dialogue, key: str, *, is_new: bool = False) -> None:
    """Try the key, keep it if it was pasted, and ask when it ends."""
    path = logins.key_path(person.folders, person.athlete)
    with contextlib.closing(Client(person.clock)) as client:
        personal = PersonalLogin(
            key=logins.checked(key),
            path=path,
            url=person.settings.garmin_personal_api_base_url,
            client=client,
            clock=person.clock,
        )
        personal.headers()
        where = ""
        if is_new:
            key_file.write_private(_pasted_path(person), key.encode())
            where = f"; it is kept in {_pasted_path(person)}"
        person.say(f"Garmin accepts the key{where}.")
        personal.note_end(_end(person, personal.ends_on()))


def _end(person: _Dialogue, known: dt.date | None) -> dt.date | None:
    """Read the key's last day, unless it stays as it is known; None where it is not told."""
    today = person.clock.now().date()
    person.say("Until when is it good? Garmin shows it beside the key: YYYY-MM-DD, or Enter.")
    if known is not None:
        person.say(f"You said {known} before; Enter leaves it.")
    for _ in range(_TRIES):
        said = person.ask().strip()
        if not said:
            break
        try:
            found = dt.date.fromisoformat(said)
        except ValueError:
            person.say(f"{said[:40]} is no date; say for instance {today + _LONGEST:%Y-%m-%d}.")
            continue
        if today <= found <= today + _LONGEST:
            person.say(f"So {key_file.sentence((found - today).days, found)}.")
            return found
        person.say("A key is good for a year at most, and not yet over: say another date.")
    if known is None:
        person.say("When the key ends is not known; `status` cannot count the days.")
    return known


def _log_in_as_the_app(person: _Dialogue) -> None:
    person.say("Garmin's terms do not allow this way; an account may be blocked for it.")
    person.say("E-mail:")
    email = person.ask().strip()
    person.say("Password (it is not kept):")
    password = person.ask_hidden()
    if not (email and password):
        raise AuthError("no e-mail and password were given; run `tracklake auth garmin` again")

    def mfa_code() -> str:
        person.say("The code that Garmin sent you:")
        return person.ask().strip()

    credentials = community.Credentials(email=email, password=password, mfa_code=mfa_code)
    folder = logins.community_folder(person.folders, person.athlete)
    kept_at = community.log_in(folder, credentials, person.clock)
    person.say(f"Logged in to Garmin; the login is kept in {kept_at}.")
