"""What the text of a setting may be; each raises ValueError with a sentence for the person."""

import re
import zoneinfo

from pydantic import SecretStr


def athlete(name: str) -> str:
    """Take the name of an athlete."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ValueError("an athlete's name has letters, digits, '-' and '_' only, at most 64")
    return name


def url(text: str) -> str:
    """Take an address of the web, without a slash at its end."""
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError(f"{text!r} is not an http:// or https:// address")
    return text.rstrip("/")


def secret_url(secret: SecretStr) -> SecretStr:
    """Take an address that may hold a secret; it is not said back."""
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", secret.get_secret_value()):
        raise ValueError("it is not an http:// or https:// address")  # which may hold a secret
    return secret


def secret_urls(secret: SecretStr) -> SecretStr:
    """Take addresses to notify, with blanks between; they may hold secrets and are not said back.

    Whether there is such a service is known only to who sends (`tracklake doctor` asks).
    """
    for number, word in enumerate(secret.get_secret_value().split(), start=1):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", word):
            raise ValueError(
                f"word {number} is no address such as ntfys://ntfy.sh/topic; blanks stand between "
                "addresses"
            )
    return secret


def bind(text: str) -> str:
    """Take an address and a port to listen on."""
    found = re.fullmatch(r"(\S+):(\d{1,5})", text)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError(f"{text!r} is not an address and a port, such as 127.0.0.1:8080")
    return text


def zone(name: str) -> str:
    """Take an IANA time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError(f"{name!r} is no time zone; Europe/London is one") from None
    return name


def days(text: str | dict[str, int], sources: tuple[str, ...]) -> dict[str, int]:
    """Take days by source, such as `strava=7, garmin=365`."""
    if not isinstance(text, str):
        return text
    found = {}
    for part in filter(None, map(str.strip, text.replace(";", ",").split(","))):
        name, _, said = (word.strip() for word in part.partition("="))
        if name not in sources:
            raise ValueError(f"no such source: {name}; write it like strava=7, garmin=365")
        if not re.fullmatch(r"[0-9]{1,6}", said) or int(said) < 1:
            raise ValueError(f"{part!r}: days are a whole number from 1, such as {name}=7")
        found[name] = int(said)
    return found
