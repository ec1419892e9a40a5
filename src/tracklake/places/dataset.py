"""The table of settlements that comes along, and what is looked up in it.

Loading takes 0.2 s and 60 MB; a position, 0.2 ms.
"""

import functools
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tzfpy
import zstandard

from tracklake.places import borders, sea
from tracklake.places.lookup import Gazetteer

_RULE = 1  # raise it when lookup.py gives other answers: all positions are then looked up anew
_FOLDER = resources.files("tracklake").joinpath("places")
_SETTLEMENTS = _FOLDER.joinpath("settlements.parquet")


class Place(NamedTuple):
    """Where a position is; all but the time zone are None at sea and far from any settlement."""

    city: str | None = None
    state: str | None = None
    country: str | None = None
    country_code: str | None = None  # ISO 3166-1, two letters; XK: Kosovo
    distance_km: float | None = None  # to the settlement's centre
    time_zone: str | None = None  # IANA


@dataclass(frozen=True, slots=True)
class Places:
    """Settlements, borders and coasts, ready to be asked."""

    gazetteer: Gazetteer
    near_land: sea.Bits
    of_zones: dict[str, frozenset[str]]
    code_numbers: dict[str, int]
    names: dict[str, pa.Array]
    version: str

    def at(self, lat: float, lng: float) -> Place:
        """Say where a position in degrees is."""
        lng = (lng + 180) % 360 - 180
        zone = borders.zone_at(lat, lng)
        nowhere = Place(time_zone=zone)
        if borders.is_sea(zone) or not sea.is_near_land(self.near_land, lat, lng):
            return nowhere
        codes = borders.countries_at(zone, self.of_zones)
        numbers = None
        if codes is not None:
            numbers = [self.code_numbers[code] for code in codes if code in self.code_numbers]
        found = self.gazetteer.settlement(lat, lng, numbers)
        if found is None:
            return nowhere
        told = {name: column[found.row].as_py() for name, column in self.names.items()}
        return Place(**told, distance_km=round(found.distance_km, 3), time_zone=zone)


def load() -> Places:
    """Load what comes along."""
    with resources.as_file(_SETTLEMENTS) as path:
        table = pq.read_table(path, use_threads=False, pre_buffer=False)
    codes = table["country_code"].combine_chunks()
    return Places(
        gazetteer=Gazetteer.of(
            table["lat_e5"].to_numpy() / 1e5,
            table["lng_e5"].to_numpy() / 1e5,
            table["population"].to_numpy(),
            codes.indices.to_numpy().astype(np.int64),
            _numbers(table["state"].combine_chunks()),
        ),
        near_land=np.frombuffer(
            zstandard.ZstdDecompressor().decompress(_FOLDER.joinpath("near_land.zst").read_bytes()),
            dtype=np.uint8,
        ),
        of_zones=borders.countries_of_zones(_zone_tab()),
        code_numbers={code: number for number, code in enumerate(codes.dictionary.to_pylist())},
        names={
            name: table[name].combine_chunks()
            for name in ("city", "state", "country", "country_code")
        },
        version=version(),
    )


@functools.cache
def shipped() -> Places:
    """Load what comes along, once in a process."""
    return load()


def _numbers(states: pa.DictionaryArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the states' numbers; settlements without one are alike."""
    numbers = states.indices.to_numpy(zero_copy_only=False)  # without one: not a number
    whole: np.ndarray[tuple[int], np.dtype[np.int64]] = np.nan_to_num(numbers, nan=-1).astype(
        np.int64
    )
    return whole


def _zone_tab() -> list[str]:
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return text.splitlines()


def version() -> str:
    """Name all that an answer depends on; needs only the table's footer."""
    with resources.as_file(_SETTLEMENTS) as path:
        schema = pq.read_schema(path)
    return f"{schema.metadata[b'as_of'].decode()} tz-{tzfpy.data_version()} rule-{_RULE}"
