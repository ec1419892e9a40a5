"""What Strava says of an upload: pure. https://developers.strava.com/docs/uploads"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

End = Literal["done", "duplicate", "there"]
_DUPLICATE = re.compile(
    r"duplicate of (?:activity (\d+)|<a [^>]*?/activities/(\d+))", re.IGNORECASE
)
_TAG = re.compile(r"<[^>]*>")
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Where an upload stands. upload_id, activity_id: Strava's; message: its words of a failure."""

    state: Literal["processing", "done", "duplicate", "failed"]
    upload_id: str | None = None
    activity_id: str | None = None
    message: str | None = None


def reply(fields: object) -> Reply | None:
    """Read an upload's JSON; None where it is none, so that nothing is known."""
    told: Mapping[str, object] = fields if isinstance(fields, dict) else {}
    upload_id = _number(told.get("id_str")) or _number(told.get("id"))
    activity_id = _number(told.get("activity_id"))
    error = _text(told.get("error"))
    if (twin := _DUPLICATE.search(error)) is not None:
        return Reply(state="duplicate", upload_id=upload_id, activity_id=twin[1] or twin[2])
    if activity_id is not None:
        return Reply(state="done", upload_id=upload_id, activity_id=activity_id)
    if "deleted" in _text(told.get("status")).lower():  # by the athlete, who wants it so
        return Reply(state="done", upload_id=upload_id, message="deleted on Strava since")
    if error:
        return Reply(state="failed", upload_id=upload_id, message=plain(error))
    return Reply(state="processing", upload_id=upload_id) if upload_id else None


def refusal(status: int, fields: object) -> Reply:
    """Read why a file was not taken, from a Fault, in a sentence; a duplicate is none."""
    told: Mapping[str, object] = fields if isinstance(fields, dict) else {}
    errors = told.get("errors")
    parts = [
        " ".join(_text(one.get(name)) for name in ("resource", "field", "code")).strip()
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, dict)
    ]
    words = "; ".join(filter(None, (_text(told.get("error") or told.get("message")), *parts)))
    if (twin := _DUPLICATE.search(words)) is not None:
        return Reply(state="duplicate", activity_id=twin[1] or twin[2])
    return Reply(state="failed", message=plain(f"Strava answered {status}: {words or 'no reason'}"))


def plain(text: str) -> str:
    """Take markup, and what could steer a terminal, out of words that are shown."""
    told = _TAG.sub("", text)
    return "".join(sign if sign.isprintable() else " " for sign in told)[:_LONGEST].strip()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> str | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdecimal() and int(text) > 0 else None
