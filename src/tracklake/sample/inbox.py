"""Writes the inbox of an invented athlete, for `tracklake demo`, documents and tests.

Owns nothing but the order of things: `plan` says what is done when, `recordings` and
`triathlon` what a watch makes of it, `files` how it lies about in folders.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tracklake import sports
from tracklake.sample.files import SampleFile, files
from tracklake.sample.kinds import RECIPES, Outing
from tracklake.sample.plan import plan


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSummary:
    """What was written, and what a good reader must make of it.

    files: on the disk, archives counted as one. activities: outings with at least some of their
    data, one for a triathlon and its five legs; of them: salvaged (the file is cut off), manual
    (typed in, no file), multisport. broken: files in which nothing can be read. duplicates: files
    whose bytes are there under another name. sports: activities by what was done, in Strava's
    words; a triathlon is "Multisport", and the cut-off file no longer says its own. first_day,
    last_day: of the activities, local.
    """

    files: int
    size_bytes: int
    activities: int
    salvaged: int
    manual: int
    multisport: int
    broken: int
    duplicates: int
    sports: Mapping[str, int]
    first_day: dt.date
    last_day: dt.date


def write_inbox(folder: Path, *, until: dt.date, seed: int = 1) -> SampleSummary:
    """Write the files of the three years before `until` into the folder, made where it is absent.

    The same `until` and `seed` give the same bytes. Files of the same name are replaced, others
    left alone. Raises OSError where the folder cannot be written to.
    """
    written: list[SampleFile] = []
    size = 0
    for file in files(plan(until, seed), seed):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (path.exists() and path.read_bytes() == file.content):  # keep its time
            path.write_bytes(file.content)
        size += len(file.content)
        written.append(file)
    return _summary(written, size)


def _summary(written: list[SampleFile], size_bytes: int) -> SampleSummary:
    outings = [outing for file in written for outing in file.outings]
    fates = Counter(file.fate for file in written)
    kinds = Counter(outing.kind for outing in outings)
    return SampleSummary(
        files=len(written),
        size_bytes=size_bytes,
        activities=len(outings),
        salvaged=fates["salvaged"],
        manual=kinds["manual"],
        multisport=kinds["triathlon"],
        broken=fates["unreadable"],
        duplicates=fates["duplicate"],
        sports=dict(sorted(Counter(_sport_type(outing) for outing in outings).items())),
        first_day=min(outing.day for outing in outings),
        last_day=max(outing.day for outing in outings),
    )


def _sport_type(outing: Outing) -> str:
    recipe = RECIPES[outing.kind]
    if outing.kind == "triathlon":
        return "Multisport"
    return sports.sport_type("fit", recipe.sport, recipe.sub_sport)
