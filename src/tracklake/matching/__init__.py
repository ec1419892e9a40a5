"""Which records are one activity: pure. docs/matching.md tells how it decides and why.

`grouped` decides for all records of one athlete; `neighbourhood` finds the few that a change can
concern. Records are named "source/source_id" in decisions, because ids of activities may change.
"""

from tracklake.matching.grouping import Assignment, Grouping, grouped
from tracklake.matching.likeness import DOUBTFUL, REACH_S, SAME_SERVICE_S, SURE
from tracklake.matching.neighbours import Wanted, neighbourhood
from tracklake.matching.pairs import compared
from tracklake.matching.records import Decision, Match, Record, links

__all__ = [
    "DOUBTFUL",
    "REACH_S",
    "SAME_SERVICE_S",
    "SURE",
    "Assignment",
    "Decision",
    "Grouping",
    "Match",
    "Record",
    "Wanted",
    "compared",
    "grouped",
    "links",
    "neighbourhood",
]
