"""Shaping of real activity files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tracklake.analysis import shape, tracks
from tracklake.analysis.geodesy import steps_m
from tracklake.errors import InvalidData
from tracklake.formats import fit, gpx, tcx
from tracklake.model import Recording, Shaped


def _recordings(folder: Path) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*.*")):
        try:
            if path.suffix == ".fit":
                yield from fit.decode(path.read_bytes())
            elif path.suffix in (".gpx", ".tcx"):
                with path.open("rb") as stream:
                    yield from (gpx if path.suffix == ".gpx" else tcx).decode(stream)
        except InvalidData:
            continue


@pytest.fixture(scope="module")
def pairs(corpus: Path) -> list[tuple[Recording, tuple[Shaped, ...]]]:
    """Return every activity of the corpus that has a start, and what becomes of it."""
    found = []
    for recording in _recordings(corpus):
        if recording.kind == "activity":
            try:
                found.append((recording, shape.activities(recording)))
            except InvalidData:
                continue
    assert len(found) > 150
    return found


def test_distance_and_time_agree_with_the_device(
    pairs: list[tuple[Recording, tuple[Shaped, ...]]],
) -> None:
    """Of whole activities with a device's totals, ours differ in a handful of files at most."""
    differ = 0
    for recording, shaped in pairs:
        if len(shaped) > 1 or len(recording.sessions) != 1 or recording.problems:
            continue
        session, activity = recording.sessions[0], shaped[0].activity
        if session.distance_m and activity.point_count > 100:
            differ += activity.distance != session.distance_m
        if session.timer_time_s:
            assert activity.moving_time <= session.timer_time_s
    assert differ <= 3


def test_summed_splits_and_tracks_agree_with_the_distance(
    pairs: list[tuple[Recording, tuple[Shaped, ...]]],
) -> None:
    """Splits add up to the points' distance, and no segment breaks its promises."""
    for _, shaped in pairs:
        for one in shaped:
            splits = one.activity.splits_metric
            if splits:
                way = one.points.distance_m
                covered = sum(split.distance_m for split in splits)
                assert way[-1] - way[0] - 10 <= covered <= way[-1] - way[0] + 1e-6
            for segment in one.track:
                assert len(segment) >= 2
                assert np.abs(segment).max() <= 180
                assert np.abs(np.diff(segment[:, 0])).max() <= 180


def test_plausible_motion_is_not_split(
    pairs: list[tuple[Recording, tuple[Shaped, ...]]],
) -> None:
    """Of sparse steps that the plain rule of 100 m would break, nine in ten stay whole."""
    plausible = kept = 0
    for recording, shaped in pairs:
        for one in shaped if recording.format == "gpx" else ():
            located = np.flatnonzero(~np.isnan(one.points.lat))
            if len(located) < 2:
                continue
            step = steps_m(one.points.lat[located], one.points.lng[located])
            seconds = np.diff(one.points.timestamp_s[located])
            sparse = (step > tracks.GAP_M) & (seconds <= 30) & (step <= 60 * seconds)
            plausible += int(np.count_nonzero(sparse))
            kept += int(np.count_nonzero(sparse & (step <= tracks.step_limit_m(step, seconds))))
    assert plausible > 100
    assert kept >= 0.9 * plausible
