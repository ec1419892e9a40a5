"""Verifying backups: is every object there, and is it what its name says?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tracklake.backup import catalogue, manifest, storing
from tracklake.backup.manifest import Manifest, Piece
from tracklake.backup.stores import Store
from tracklake.errors import InvalidData

Advance = Callable[[int], None]

_AT_ONCE = 8  # pieces that are in memory


@dataclass(frozen=True, slots=True)
class Part:
    """One of so many parts of all objects, chosen by their names; 1 of 1 is all."""

    number: int
    of: int

    def holds(self, piece: Piece) -> bool:
        """Tell whether an object belongs to it."""
        return int(piece.sha256[:8], 16) % self.of == self.number - 1


@dataclass(slots=True, kw_only=True)
class VerifyReport:
    """What was looked at; `damaged`: a sentence for each thing that is wrong."""

    backups: int = 0
    objects: int = 0
    hashed: int = 0
    damaged: list[str] = field(default_factory=list)


def verify(store: Store, names: Sequence[str], part: Part, advance: Advance) -> VerifyReport:
    """Look at backups: every object's presence and size, and of a part of them the bytes."""
    report = VerifyReport()
    known = catalogue.names(store)
    if catalogue.latest(store, known) is None:
        report.damaged.append(
            f"{store.where}/latest does not name a backup; `tracklake backup create` writes it anew"
        )
    there = storing.present(store)
    wanted: dict[str, tuple[Piece, str]] = {}
    for name in names:
        try:
            made = catalogue.read(store, name)
        except InvalidData as error:
            report.damaged.append(f"{error}; the other backups do not need it")
            continue
        report.backups += 1
        for piece, said in _first_uses(made):
            wanted.setdefault(piece.object_name, (piece, f"{said} of backup {name}"))
    report.objects = len(wanted)
    _look(store, wanted, there, part, report, advance)
    return report


def _first_uses(made: Manifest) -> Iterable[tuple[Piece, str]]:
    return ((piece, entry.path) for entry, piece in made.pieces())


def _look(
    store: Store,
    wanted: dict[str, tuple[Piece, str]],
    there: dict[str, int],
    part: Part,
    report: VerifyReport,
    advance: Advance,
) -> None:
    to_read: list[tuple[Piece, str]] = []
    for name, (piece, said) in wanted.items():
        if name not in there:
            report.damaged.append(f"{said}: {name} is gone")
        elif part.holds(piece) or (piece.is_packed and there[name] != piece.stored_bytes):
            to_read.append((piece, said))  # a packed one may be replaced by another packing
        elif there[name] != piece.stored_bytes:
            report.damaged.append(f"{said}: {name} is not as large as it was")
    advance(len(wanted) - len(to_read))
    waiting = iter(to_read)
    while batch := list(islice(waiting, _AT_ONCE)):
        objects = store.get([piece.object_name for piece, _ in batch])
        for (piece, said), data in zip(batch, objects, strict=True):
            wrong = _wrong(piece, data)
            if wrong:
                report.damaged.append(f"{said}: {piece.object_name}: {wrong}")
        report.hashed += len(batch)
        advance(len(batch))


def _wrong(piece: Piece, data: bytes | None) -> str:
    if data is None:
        return "it is gone"
    try:
        manifest.plain(piece, data, storing.PIECE_BYTES)
    except InvalidData as error:
        return str(error)
    return ""
