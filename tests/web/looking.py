"""How the tests see what the page shows: pixels, features, and what the warehouse has."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import Page

from tracklake import reading
from tracklake.config import Folders

WEB = Path(__file__).resolve().parents[2] / "src" / "tracklake" / "web"
AROUND_BARCELONA = "#map=11.00/41.40000/2.16000"

_IN_SIGHT = """() => [...new Set(tracklake.map.queryRenderedFeatures({layers:
    tracklake.map.getStyle().layers.map((layer) => layer.id)
      .filter((id) => /^(mark|start|warmth|late):/.test(id))})
    .map((feature) => String(feature.id)))]"""
_PIXELS = """async () => {
  const { picture } = await import("/map/exporting.mjs");
  const image = await createImageBitmap(await picture(tracklake));
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height - 24);
  const seen = {};
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    if (Math.max(r, g, b) - Math.min(r, g, b) < 60) continue;
    const key = [r, g, b].map((value) => value >> 5).join("-");
    seen[key] = (seen[key] ?? 0) + 1;
  }
  return seen;
}"""
_IDLE = """() => new Promise((done) => {
  const { map } = tracklake;
  if (map.loaded() && map.areTilesLoaded()) done();
  else map.once("idle", () => done());
})"""


def idle(page: Page) -> None:
    """Wait until the map has drawn what it is to show."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    page.evaluate(_IDLE)


def activities_in_sight(page: Page) -> set[int]:
    """Return the ids of the activities that the map draws in its view."""
    idle(page)
    return {int(found) for found in page.evaluate(_IN_SIGHT)}


def palette(page: Page) -> Counter[str]:
    """Return how many pixels of the map have which strong colour, coarsely."""
    idle(page)
    return Counter(page.evaluate(_PIXELS))


def colored_pixels(page: Page) -> int:
    """Return how many pixels of the map are neither paper nor ink: those of tracks and starts."""
    return sum(palette(page).values())


def gold(folders: Folders, condition: str = "true") -> set[int]:
    """Return the ids of the activities that have a place, from the warehouse."""
    with reading.snapshot(folders) as connection:
        rows = connection.sql(
            "from activities where start_lng is not null and coalesce(leg_count, 0) = 0"
        )
        ids = rows.filter(condition).project("id").fetchall()
    return {int(one) for (one,) in ids}


def whole_index(folders: Folders) -> dict[int, dict[str, Any]]:
    """Return the index of names as the page gets it, by activity."""
    manifest = orjson.loads((folders.tiles / "manifest.json").read_bytes())
    index = orjson.loads((folders.tiles / manifest["index"]["file"]).read_bytes())
    return {
        int(key): dict(zip(index["fields"], values, strict=True))
        for key, values in index["activities"].items()
    }


def png_size(content: bytes) -> tuple[int, int]:
    """Return the width and height that a PNG says it has; fail if it is none."""
    file = io.BytesIO(content)
    assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    assert file.read(8)[4:] == b"IHDR"
    return int.from_bytes(file.read(4), "big"), int.from_bytes(file.read(4), "big")
