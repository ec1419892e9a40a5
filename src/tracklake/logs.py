"""Logs of a flow: for people as text, for machines as JSON lines, one event a line.

logs/flow/YYYY/MM/DD/flow_<stamp>.log, logs/flow/latest.log (a link to it) and
logs/flow/structured/YYYY/MM/DD/flow_<stamp>.jsonl.
"""

import contextlib
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, TextIO

import orjson
import structlog

from tracklake import redaction
from tracklake.clock import Clock

EventDict = MutableMapping[str, Any]
_BREAKS = {sign: f"\\u{sign:04x}" for sign in (0x85, 0x2028, 0x2029)}  # JSON lets them stand


class _Sink:
    """Writes each event to both files, whole lines at once."""

    def __init__(self, text: TextIO, lines: TextIO, clock: Clock) -> None:
        self._text = text
        self._lines = lines
        self._clock = clock

    def __call__(self, _logger: object, level: str, event: EventDict) -> str:
        event = redaction.event(event)
        moment = self._clock.now()
        stamped = {"ts": moment.isoformat(timespec="milliseconds"), "level": level, **event}
        line = orjson.dumps(stamped, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
        self._lines.write(line.translate(_BREAKS) + "\n")
        said = {
            k: v for k, v in event.items() if k not in {"event", "session_id"} and v is not None
        }
        details = " ".join(f"{key}={_plain(value)}" for key, value in said.items())
        self._text.write(f"{moment:%Y-%m-%d %H:%M:%S}Z {level:<8} {event['event']:<20} {details}\n")
        return ""


def _plain(value: object) -> str:
    text = str(value)
    quoted = any(sign.isspace() or not sign.isprintable() for sign in text)
    if not quoted:
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in orjson.dumps(text).decode()
    )


@contextlib.contextmanager
def writing(logs: Path, stamp: str, clock: Clock) -> Iterator[Path]:
    """Send this process's log events to a flow's two files; yield the text file's path."""
    day = clock.now().strftime("%Y/%m/%d")
    text_path = logs / "flow" / day / f"flow_{stamp}.log"
    lines_path = logs / "flow" / "structured" / day / f"flow_{stamp}.jsonl"
    for path in (text_path, lines_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with (
        text_path.open("a", encoding="utf-8", errors="replace", buffering=1) as text,
        lines_path.open("a", encoding="utf-8", errors="replace", buffering=1) as lines,
    ):
        structlog.configure(
            processors=[structlog.processors.format_exc_info, _Sink(text, lines, clock)],
            logger_factory=structlog.ReturnLoggerFactory(),
            cache_logger_on_first_use=False,
        )
        _point_latest(logs / "flow" / "latest.log", text_path)
        try:
            yield text_path
        finally:
            structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])


def _drop(_logger: object, _level: str, _event: EventDict) -> str:
    raise structlog.DropEvent


def _point_latest(latest: Path, target: Path) -> None:
    temporary = latest.with_name(".latest-new")  # one name: the next flow takes what a kill left
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(target, latest.parent))
    temporary.replace(latest)
