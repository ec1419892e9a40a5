"""Recordings as GPX and TCX can hold them, for round trips through the writers."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tracklake.model import Device, FloatArray, Points, Recording, Session

TEXT = (
    st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))
    .map(str.strip)
    .filter(bool)
)
RANGES = {  # smallest and largest value as integers, and the decimals that the writers keep
    "lat": (-90 * 10**7, 90 * 10**7, 7),
    "lng": (-180 * 10**7, 180 * 10**7, 7),
    "altitude_m": (-40_000, 900_000, 2),
    "distance_m": (0, 10**8, 2),
    "velocity_mps": (0, 100_000, 3),
    "heartrate_bpm": (1, 250, 0),
    "cadence_rpm": (0, 250, 0),
    "power_w": (0, 3000, 0),
    "temperature_c": (-400, 500, 1),
}


@st.composite
def _column(draw: st.DrawFn, name: str, length: int) -> FloatArray:
    low, high, decimals = RANGES[name]
    value = st.none() | st.integers(low, high)
    values = draw(st.lists(value, min_size=length, max_size=length))
    return np.array([np.nan if v is None else v / 10**decimals for v in values], dtype=float)


@st.composite
def points(draw: st.DrawFn, *, located: bool) -> Points:
    """Draw points with ascending times; each with a position if `located`."""
    steps = draw(st.lists(st.integers(1, 10**7), min_size=1, max_size=12))
    times = draw(st.integers(0, 2 * 10**12)) + np.cumsum(steps)
    columns = {name: draw(_column(name, len(steps))) for name in RANGES}
    if located:
        columns["lat"] = np.nan_to_num(columns["lat"])
        columns["lng"] = np.nan_to_num(columns["lng"])
    return Points.of(len(steps), timestamp_s=times / 1000, **columns)


@st.composite
def recordings(draw: st.DrawFn, *, located: bool) -> Recording:
    """Draw an activity of one session with up to one pause between two points."""
    drawn = draw(points(located=located))
    times = drawn.timestamp_s.tolist()
    pauses: tuple[tuple[float, float], ...] = ()
    if len(times) > 1 and draw(st.booleans()):
        index = draw(st.integers(0, len(times) - 2))
        pauses = ((times[index], times[index + 1]),)
    return Recording(
        format="gpx",
        points=drawn,
        sessions=(Session(start_s=times[0], sport=draw(st.sampled_from(["running", "Ride"]))),),
        pauses=pauses,
        device=Device(name=draw(TEXT)),
        name=draw(TEXT),
        description=draw(st.none() | TEXT),
    )
