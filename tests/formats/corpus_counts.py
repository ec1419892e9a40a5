"""What the corpus' list of sources says of its files."""

from __future__ import annotations

from pathlib import Path


def counts(corpus: Path, suffix: str) -> dict[Path, tuple[int, int]]:
    """Return path -> (records, records with position) of all files of a format."""
    listed = {}
    for line in (corpus / "SOURCES.md").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"| {suffix}/"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            listed[corpus / cells[0]] = (int(cells[6]), int(cells[7]))
    return listed
