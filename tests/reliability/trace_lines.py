"""What strace wrote, as calls: who, what, on which file, with what result."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"^(?P<thread>\d+) +(?P<text>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<told>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
_RESULT = re.compile(r"\)\s+= (?P<result>-?\d+|\?)(?P<more>.*)$")
_FILE_OR_NAME = re.compile(r'(?:-?\d+|AT_FDCWD)<(?P<file>/[^>]*)>|"(?P<name>(?:[^"\\]|\\.)*)"')
_KILLED = "+++ killed by SIGKILL +++"
UNFINISHED = " <unfinished ...>"
# Calls whose text arguments are names; of others they are what is written.
NAMING = frozenset(
    [
        *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "unlink", "unlinkat"),
        *("mkdir", "mkdirat", "rmdir", "openat"),
    ]
)


@dataclass(frozen=True)
class Call:
    """One call: the files it is about (as absolute paths), and what came of it (None: not told).

    began: by their order, since a call may end after later ones began.
    """

    thread: int
    name: str
    paths: tuple[str, ...]
    result: int | None
    injected: bool = False
    began: int = 0
    text: str = ""

    @property
    def done(self) -> bool:
        """Tell whether it did what it was asked for."""
        return self.result is not None and self.result >= 0


def calls(text: str, folder: Path) -> list[Call]:
    """Return the calls of a trace (`strace -f -y`) of a process that stood in `folder`."""
    return sorted(_read(text.splitlines(), folder), key=lambda call: call.began)


def _read(lines: Iterable[str], folder: Path) -> Iterator[Call]:
    begun: dict[int, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        match = _LINE.match(line)
        if match is None:
            continue
        thread, said = int(match["thread"]), match["text"]
        if said.endswith(UNFINISHED):
            begun[thread] = number, said.removesuffix(UNFINISHED)
            continue
        began = number
        if resumed := _RESUMED.match(said):
            began, before = begun.pop(thread, (number, f"{resumed['name']}("))
            said = before + resumed["rest"]
        if call := _CALL.match(said):
            yield _call(thread, began, call["name"], call["told"], folder)
    for thread, (began, said) in begun.items():
        if call := _CALL.match(said):
            yield _call(thread, began, call["name"], call["told"], folder)


def _call(thread: int, began: int, name: str, told: str, folder: Path) -> Call:
    found = _RESULT.search(told)
    asked = told[: found.start()] if found else told
    result = None if found is None or found["result"] == "?" else int(found["result"])
    paths = tuple(_paths(name, asked, folder))
    injected = bool(found and "(INJECTED" in found["more"])
    return Call(thread, name, paths, result, injected, began, f"{name}({told}")


def _paths(name: str, asked: str, folder: Path) -> Iterator[str]:
    """Yield open files, or, of calls about names, the names; relative ones as where they are."""
    base = str(folder)
    for match in _FILE_OR_NAME.finditer(asked):
        if match["file"] is not None:
            base = match["file"]
            if name not in NAMING:
                yield base
        elif name in NAMING:
            yield os.path.normpath(Path(base) / match["name"])


def killed(text: str) -> str | None:
    """Return the call at which the first of the traced processes was killed; None: none was."""
    last: dict[str, str] = {}
    latest = "before its first call"
    for line in text.splitlines():
        thread, _, said = line.partition(" ")
        if said.strip() == _KILLED:  # said of each thread of the process, also of idle ones
            return last.get(thread, latest)
        if "(" in said:
            last[thread] = latest = said.strip()
    return None
