"""What is in PMTiles files, by readers that are not ours: the pmtiles package and protobuf.

python -m bench.tiles_reading FILE…
"""

import gzip
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapbox_vector_tile.Mapbox import vector_tile_pb2
from pmtiles import reader as pmtiles_reader

_READER: Any = pmtiles_reader  # it has few annotations
_SCHEMA: Any = vector_tile_pb2


@dataclass(slots=True)
class Held:
    """What files of tiles have, together. ids: by zoom. Tile sizes are as stored, in bytes."""

    full_extent: int
    tiles: int = 0
    bytes: int = 0
    largest_tile_bytes: int = 0
    reduced_tiles: int = 0
    coarsest_extent: int = 0
    ids: dict[int, set[int]] = field(default_factory=dict)

    def absent(self, asked: Mapping[range, Iterable[int]]) -> dict[int, int]:
        """Return for each zoom how many of the activities that should be there are not."""
        return {
            zoom: len(set(ids) - self.ids.get(zoom, set()))
            for zooms, ids in asked.items()
            for zoom in zooms
        }


def held(paths: Iterable[Path], full_extent: int, fine_zoom: int | None = None) -> Held:
    """Read whole files; an activity's id is its feature's, or else the attribute `id`.

    full_extent: what the layers' extent should be, twice as much at `fine_zoom`.
    """
    found = Held(full_extent, coarsest_extent=full_extent)
    for path in paths:
        found.bytes += path.stat().st_size
        with path.open("rb") as file:
            for (zoom, _, _), data in _READER.all_tiles(_READER.MmapSource(file)):
                found.tiles += 1
                found.largest_tile_bytes = max(found.largest_tile_bytes, len(data))
                tile = _SCHEMA.tile.FromString(gzip.decompress(data))
                extents = [layer.extent for layer in tile.layers]
                full = full_extent * (2 if zoom == fine_zoom else 1)
                found.reduced_tiles += min(extents) < full
                found.coarsest_extent = min(found.coarsest_extent, *extents)
                for layer in tile.layers:
                    found.ids.setdefault(zoom, set()).update(_ids(layer))
    return found


def _ids(layer: Any) -> Iterator[int]:  # noqa: ANN401 protobuf makes its class
    id_keys = {index for index, key in enumerate(layer.keys) if key == "id"}
    for feature in layer.features:
        if feature.HasField("id"):
            yield int(feature.id)
            continue
        tags = list(feature.tags)
        pairs = zip(tags[::2], tags[1::2], strict=True)
        yield next(_number(layer.values[value]) for key, value in pairs if key in id_keys)


def _number(value: Any) -> int:  # noqa: ANN401 as above
    return int(getattr(value, value.ListFields()[0][0].name))


if __name__ == "__main__":
    seen = held(map(Path, sys.argv[1:]), 2048)
    print(seen.tiles, seen.bytes, seen.largest_tile_bytes, seen.reduced_tiles)
    print({zoom: len(ids) for zoom, ids in sorted(seen.ids.items())})
