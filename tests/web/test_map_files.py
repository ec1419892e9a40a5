"""What the page is made of: vendored files, plain modules, colours that can be told apart."""

import hashlib
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from pmtiles.reader import MmapSource, Reader

from tests.web.looking import WEB

REPOSITORY = WEB.parents[2]
VENDOR = WEB / "vendor"
LOCK = REPOSITORY / "scripts" / "web" / "package-lock.json"
OURS = sorted(WEB.glob("*.mjs"))
_MOST_BASEMAP_BYTES = 4_000_000


def test_vendored_files_are_those_that_were_taken() -> None:
    """Every vendored file has the recorded SHA-256; none is missing, none was added."""
    recorded = {
        name: digest
        for digest, name in (
            line.split("  ") for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
        )
    }
    there = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert there == recorded


def test_vendored_versions_are_the_locked_ones() -> None:
    """Folders name the versions of the lock, which holds the integrity of every package."""
    packages = json.loads(LOCK.read_text())["packages"]
    for folder in (path for path in VENDOR.iterdir() if path.is_dir()):
        name, version = re.fullmatch(r"(.+)-(\d[\d.]*)", folder.name).groups()  # type: ignore[union-attr]
        assert packages[f"node_modules/{name}"]["version"] == version
        assert (folder / "LICENCES.txt").stat().st_size > 1000
        used = [
            path.name for path in [*OURS, WEB / "index.html"] if folder.name in path.read_text()
        ]
        assert used, "the page uses what is vendored"
    assert all("integrity" in package for name, package in packages.items() if name)
    assert not [package for package in packages.values() if "resolved" in package]


def test_the_page_names_no_other_host() -> None:
    """Our files have no address elsewhere but those that a person may click."""
    allowed = {
        "http://www.w3.org/2000/svg",
        "https://www.naturalearthdata.com/",
        "https://www.geonames.org/",
        "https://creativecommons.org/licenses/by/4.0/",
        "https://maplibre.org/",
    }
    for path in [*OURS, WEB / "index.html", WEB / "page.css"]:
        found = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text()))
        assert found <= allowed, path.name


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_modules_are_plain(path: Path) -> None:
    """A module has at most 300 lines, explains itself, and never parses text as HTML."""
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert text.startswith("/**")
    for line, before in zip(text.splitlines()[1:], text.splitlines(), strict=False):
        if line.startswith("export "):
            assert before.rstrip().endswith("*/"), f"{path.name}: {line} is not explained"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_the_basemap() -> None:
    """The bundled basemap is small, ends at one zoom for all layers, and says whose data it is."""
    path = WEB / "basemap.pmtiles"
    assert path.stat().st_size <= _MOST_BASEMAP_BYTES
    with path.open("rb") as file:
        reader: Any = Reader(MmapSource(file))  # type: ignore[no-untyped-call]
        metadata, header = reader.metadata(), reader.header()
    assert header["max_zoom"] == 6
    assert {layer["maxzoom"] for layer in metadata["vector_layers"]} == {6}
    assert "GeoNames" in metadata["attribution"]
    assert "/" not in json.dumps(metadata), "no path of the machine that made it"


def _palettes() -> list[tuple[str, dict[str, str]]]:
    text = (WEB / "colors.mjs").read_text()
    found = re.findall(r'name: "([^"]+)", light: "(#\w+)", dark: "(#\w+)"', text)
    return [
        ("light", {name: light for name, light, _ in found}),
        ("dark", {name: dark for name, _, dark in found}),
    ]


# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
_EYES = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def _linear(color: str) -> list[float]:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _lab(rgb: list[float]) -> tuple[float, float, float]:
    r, g, b = (min(max(part, 0.0), 1.0) for part in rgb)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("eyes", list(_EYES))
@pytest.mark.parametrize(("theme", "colors"), _palettes(), ids=["light", "dark"])
def test_sports_can_be_told_apart(theme: str, colors: dict[str, str], eyes: str) -> None:
    """Families of sports differ visibly, also to eyes that cannot tell red from green."""
    assert len(colors) == 6
    seen = {
        name: _lab(
            [sum(a * b for a, b in zip(row, _linear(color), strict=True)) for row in _EYES[eyes]]
        )
        for name, color in colors.items()
    }
    nearest = min(
        (math.dist(seen[one], seen[other]), one, other)
        for one, other in itertools.combinations(seen, 2)
    )
    assert nearest[0] > 25, (theme, eyes, nearest)


@pytest.mark.parametrize(("theme", "colors"), _palettes(), ids=["light", "dark"])
def test_sports_stand_out_from_the_paper(theme: str, colors: dict[str, str]) -> None:
    """Every family's colour has a contrast of 3:1 to the land of its theme (WCAG 1.4.11)."""
    style = (WEB / "style.mjs").read_text()
    papers = dict(zip(("light", "dark"), re.findall(r'land: "(#\w+)"', style), strict=True))
    paper = _luminance(papers[theme])
    for name, color in colors.items():
        bright, deep = sorted((_luminance(color), paper), reverse=True)
        assert (bright + 0.05) / (deep + 0.05) >= 3, name


def _luminance(color: str) -> float:
    r, g, b = _linear(color)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
