"""Quota budgets: how many calls an upstream still allows, kept in the state database for all runs.

Windows follow the upstream's clock: ours plus what its Date headers taught. That is known to 2 s,
and calls near a border may be booked on either side of it. Therefore a window that was refused or
nearly used up stays shut for another 2-15 s after its end: no call lands in the old one by mistake.
"""

from tracklake.budget.account import Budget, patiently
from tracklake.budget.answers import Answer
from tracklake.budget.outlook import forecast
from tracklake.budget.windows import STRAVA, Cushion, Limit, WindowState

__all__ = [
    "STRAVA",
    "Answer",
    "Budget",
    "Cushion",
    "Limit",
    "WindowState",
    "forecast",
    "patiently",
]
