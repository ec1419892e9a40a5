"""The file `.env`: is it there, private, and does it say what it is meant to say?"""

import codecs
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from tracklake.config import Settings
from tracklake.doctor.finding import Finding
from tracklake.doctor.places import others_may_read

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.ASCII)
_SUBJECT = ".env"
_SURELY_OURS = 0.85  # how alike a name must be to be one of ours, misspelt
_PERHAPS = 0.6
# What only scripts/ and docker-compose.yml read.
_OF_CONTAINERS = frozenset(
    {"TRACKLAKE_IMAGE", "TRACKLAKE_CA_BUNDLE", "TRACKLAKE_MEMORY", "TRACKLAKE_API_MEMORY"}
)


def examine(path: Path) -> Iterator[Finding]:
    """Look at the file, which need not be there."""
    if not path.exists():
        example = path.with_name(".env.example")
        said = "there is none: every setting is its default or comes from the environment"
        yield Finding(_SUBJECT, True, said, f"cp {example} {path}" if example.exists() else "")
        return
    if path.is_dir():
        said = f"{path} is a folder (an engine makes one where a file to mount is missing)"
        yield Finding(_SUBJECT, False, said, f"rmdir {path} && cp .env.example {path}")
        return
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return  # whoever loads the settings says so
    found = [*_privacy(path, text), *_line_ends(path, data), *_lines(path, text)]
    yield from found or [Finding(_SUBJECT, True, f"{path} is in order")]


def _privacy(path: Path, text: str) -> Iterator[Finding]:
    set_here = {name for _, name, value in _settings(text) if value.strip("'\" \t")}
    secret = sorted(set_here & _secrets())
    if secret and others_may_read(path):
        said = f"others may read {path}, which holds {secret[0]}"
        yield Finding(_SUBJECT, False, said, f"chmod 600 {path}")


def _line_ends(path: Path, data: bytes) -> Iterator[Finding]:
    """Note what Windows editors leave: Tracklake and Compose read it, a shell does not."""
    if b"\r\n" in data or data.startswith(codecs.BOM_UTF8):
        said = f"{path} was saved by a Windows editor (CRLF line ends or a byte order mark)"
        yield Finding(_SUBJECT, True, said, "harmless, but to shells: `dos2unix` removes both")


def _lines(path: Path, text: str) -> Iterator[Finding]:
    """Find lines that set nothing, and names that nobody reads because they are misspelt."""
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    for number, name, _ in _settings(text):
        if not name:
            said = f"line {number} of {path} is no setting: NAME=value is one, # begins a comment"
            yield Finding(_SUBJECT, False, said, f"mend or remove line {number}")
        elif name not in known | _OF_CONTAINERS:
            yield from _unknown(f"line {number} of {path} sets {name}", name, known)


def _unknown(where: str, name: str, known: set[str]) -> Iterator[Finding]:
    near = difflib.get_close_matches(name, known, 1, _PERHAPS)
    is_surely = bool(difflib.get_close_matches(name, known, 1, _SURELY_OURS))
    if name.startswith("TRACKLAKE_") or is_surely:
        advice = f"did you mean {near[0]}?" if near else ".env.example lists all settings"
        yield Finding(_SUBJECT, False, f"{where}, which Tracklake does not know", advice)


def _settings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, name and value of each line that is no comment; no name: it sets nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            found = _LINE.fullmatch(line)
            yield (number, found[1].upper(), found[2]) if found else (number, "", "")


def _secrets() -> set[str]:
    return {
        str(field.validation_alias)
        for field in Settings.model_fields.values()
        if "SecretStr" in str(field.annotation)
    }
