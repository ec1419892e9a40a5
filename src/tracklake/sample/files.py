"""How the sample athlete's files lie about: formats, folders, archives, a copy, two broken ones."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracklake.formats import fit_writer, gpx_writer, tcx_writer
from tracklake.model import Device, Recording
from tracklake.sample.archives import Member, gzipped, zipped
from tracklake.sample.export import Exported, export_zip
from tracklake.sample.kinds import Outing
from tracklake.sample.recordings import record
from tracklake.sample.triathlon import record_triathlon

EXPORTED_DAYS = 240  # of the first year: what the athlete once took home from Strava
PHONE = Device(name="Sample phone")
OLD_WATCH = Device(name="Sample old watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """A file of the inbox: its path there, its bytes, and the outings that it alone tells of.

    fate: what will become of it: "whole", "salvaged" (cut off, read as far as it goes),
    "unreadable" (set aside), "duplicate" (the bytes of another file).
    """

    path: str
    content: bytes
    outings: tuple[Outing, ...] = ()
    fate: Literal["whole", "salvaged", "unreadable", "duplicate"] = "whole"


def files(outings: tuple[Outing, ...], seed: int) -> Iterator[SampleFile]:
    """Yield the inbox's files one after the other; the outings are the calendar, in order."""
    border = outings[0].day + dt.timedelta(days=EXPORTED_DAYS)
    # Strava takes a multisport file apart, so the triathlon never comes back from there whole.
    early = tuple(o for o in outings if o.day < border and o.kind != "triathlon")
    yield _export(early, seed)
    later = [outing for outing in outings if outing not in early]
    away = tuple(outing for outing in later if outing.place == "new_york")
    yield _holiday(away, seed)
    cut_off = max((o for o in later if o.kind == "trail"), key=lambda o: o.day, default=None)
    old_watch = [o for o in later if o.kind == "easy" and o not in away][::8]
    for number, outing in enumerate(old_watch):
        yield _old(outing, seed, packed=number % 2 == 0)
    for outing in later:
        if outing not in away and outing not in old_watch:
            yield _single(outing, seed, cut_off=outing == cut_off)
    yield from _oddities(later, seed)


def _recording(outing: Outing, seed: int) -> Recording:
    return record_triathlon(outing, seed) if outing.kind == "triathlon" else record(outing, seed)


def _export(outings: tuple[Outing, ...], seed: int) -> SampleFile:
    items = (Exported(o, None if o.kind == "manual" else _recording(o, seed)) for o in outings)
    return SampleFile(path="strava_export.zip", content=export_zip(items), outings=outings)


def _holiday(outings: tuple[Outing, ...], seed: int) -> SampleFile:
    members: list[Member] = [
        (f"new york/{_stamp(o)}.fit", fit_writer.encode(_recording(o, seed))) for o in outings
    ]
    return SampleFile(path="holidays/new-york.zip", content=zipped(members), outings=outings)


def _single(outing: Outing, seed: int, *, cut_off: bool) -> SampleFile:
    recording = _recording(outing, seed)
    year, stamp = outing.day.year, _stamp(outing)
    if outing.kind in ("walk", "hike"):
        content = gpx_writer.encode(_as("gpx", recording, PHONE))
        packed = outing.kind == "hike"
        path = f"phone/{stamp}.gpx" + ".gz" * packed
        return SampleFile(
            path=path, content=gzipped(content) if packed else content, outings=(outing,)
        )
    content = fit_writer.encode(recording)
    if outing.kind in ("ride", "gravel", "mountain", "brevet", "trainer", "commute"):
        path = f"bike/{year}/{stamp}.fit.gz"
        return SampleFile(path=path, content=gzipped(content), outings=(outing,))
    path = f"watch/{year}/{stamp}.fit"
    if cut_off:
        content = content[: len(content) * 62 // 100]
        return SampleFile(path=path, content=content, outings=(outing,), fate="salvaged")
    return SampleFile(path=path, content=content, outings=(outing,))


def _old(outing: Outing, seed: int, *, packed: bool) -> SampleFile:
    content = tcx_writer.encode(_as("tcx", _recording(outing, seed), OLD_WATCH))
    path = f"old watch/{_stamp(outing)}.tcx" + ".gz" * packed
    return SampleFile(path=path, content=gzipped(content) if packed else content, outings=(outing,))


def _as(form: Literal["gpx", "tcx"], recording: Recording, device: Device) -> Recording:
    return dataclasses.replace(recording, format=form, device=device)


def _oddities(later: list[Outing], seed: int) -> Iterator[SampleFile]:
    """Yield a copy of a file under another name, and noise that calls itself a FIT file."""
    again = max((o for o in later if o.kind == "five"), key=lambda o: o.day, default=None)
    if again is not None:
        content = fit_writer.encode(_recording(again, seed))
        yield SampleFile(path="watch/copy of my best 5 km.fit", content=content, fate="duplicate")
    noise = np.random.default_rng([seed, 1]).integers(32, 127, 4096, dtype=np.uint8)
    yield SampleFile(path="watch/rescued.fit", content=noise.tobytes(), fate="unreadable")


def _stamp(outing: Outing) -> str:
    minutes = round(outing.hour * 60)
    return f"{outing.day.isoformat()}-{minutes // 60:02d}{minutes % 60:02d}"
