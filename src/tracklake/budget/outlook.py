"""When a backfill will be finished: pure arithmetic over windows."""

import datetime as dt
from collections.abc import Sequence

from tracklake.budget.windows import Cushion, WindowState


def forecast(
    calls_needed: int, windows: Sequence[WindowState], now: dt.datetime, *, cushion: Cushion
) -> dt.datetime:
    """Return when the last of so many calls can be made: `now` if the windows still allow all.

    Exact if each call is made as soon as the limits let it, nobody else uses them, and calls take
    no time; the seconds for which a spent window stays shut after its end are not in it.
    """
    usable = [window.most - cushion.kept(window.window_s, window.most) for window in windows]
    left = [
        0 if window.refused else max(0, room - window.used)
        for window, room in zip(windows, usable, strict=True)
    ]
    resets = [window.resets_at for window in windows]
    lengths = [dt.timedelta(seconds=window.window_s) for window in windows]
    moment = now
    while True:
        for index, length in enumerate(lengths):
            if resets[index] <= moment:
                left[index] = usable[index]
                resets[index] += length * ((moment - resets[index]) // length + 1)
        sent = min(left, default=calls_needed)
        calls_needed -= sent
        if calls_needed <= 0:
            return moment
        left = [calls - sent for calls in left]
        moment = max(reset for reset, calls in zip(resets, left, strict=True) if calls == 0)
