"""The order that a power cut needs, read from a trace: bytes, name, folder; SIGKILL cannot show it.

1. Before a file gets its name, its bytes are flushed, after the last of them was written.
2. Before whoever named it writes anything else, the folder is flushed.
3. A new folder's own name is flushed before the end.

What lies in a temporary folder (`.landing-…`) is thrown away after a cut and needs no order; logs
need none either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.sweep_points import SYNCING, WRITING
from tests.reliability.trace_lines import Call

CHANGING_BYTES = (*WRITING, "ftruncate", "fallocate")
_RENAMES = ("rename", "renameat", "renameat2", "link", "linkat")
_FOLDERS = ("mkdir", "mkdirat")
_TEMPORARY = ".landing-"


@dataclass
class _Order:
    roots: tuple[str, ...]
    dirty: dict[str, Call] = field(default_factory=dict)  # a file's last write
    named: dict[str, list[Call]] = field(default_factory=dict)  # a folder's names, not flushed
    made: dict[str, list[Call]] = field(default_factory=dict)  # a folder's new folders
    found: list[str] = field(default_factory=list)

    def take(self, call: Call) -> None:
        """Hold the next call against the rules."""
        if call.name in CHANGING_BYTES:
            self._written(call)
        elif call.name in SYNCING:
            self.dirty.pop(call.paths[0], None)
            self.named.pop(call.paths[0], None)
            self.made.pop(call.paths[0], None)
        elif call.name in _RENAMES:
            self._renamed(call, *call.paths[:2])
        elif call.name in _FOLDERS and self._matters(call.paths[-1]):
            self.made.setdefault(str(Path(call.paths[-1]).parent), []).append(call)

    def _written(self, call: Call) -> None:
        target = call.paths[-1] if call.name == "copy_file_range" else call.paths[0]
        if not target.startswith(self.roots):
            return
        self.dirty[target] = call
        for folder, names in list(self.named.items()):
            mine = [one for one in names if one.thread == call.thread]
            for one in mine:
                names.remove(one)
                self.found.append(f"{one.paths[1]}: {folder} was not flushed before {target}")

    def _renamed(self, call: Call, old: str, new: str) -> None:
        below = [path for path in self.dirty if path == old or path.startswith(f"{old}/")]
        for path in below:
            self.dirty.pop(path)
            if self._matters(new):
                self.found.append(f"{new}: its bytes were not flushed before it got its name")
        if self._matters(new):
            self.named.setdefault(str(Path(new).parent), []).append(call)

    def _matters(self, path: str) -> bool:
        return path.startswith(self.roots) and _TEMPORARY not in path

    def end(self) -> list[str]:
        """Return what was found, with what was never flushed."""
        for folder, calls in [*self.named.items(), *self.made.items()]:
            self.found += [f"{one.paths[-1]}: {folder} was never flushed" for one in calls]
        return self.found


def violations(calls: Iterable[Call], roots: Sequence[Path]) -> list[str]:
    """Return what breaks the order in the files below some folders; each begins with the path."""
    order = _Order(tuple(f"{root}/" for root in roots))
    for call in calls:
        if call.done and call.paths:
            order.take(call)
    return order.end()
