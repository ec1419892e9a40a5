"""How often matching is right: made-up athletes with four overlapping sources.

python -m bench.matching [ATHLETES [YEARS]]
"""

import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from bench import measure
from bench.matching_athlete import Athlete
from bench.matching_sources import PARAMETERS, Sources
from bench.measure import Cost
from tracklake.matching import Grouping, Record, grouped

ATHLETES, YEARS = 6, 10
_FIRST_SEED = 1_000  # the thresholds were chosen with others
_COST_YEARS = 20  # of one athlete, about 40,000 records
Pair = tuple[int, int]


@dataclass
class Score:
    """Pairs of records of one activity: found, found wrongly, missed; records by method."""

    records: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0
    asked: int = 0  # of those missed, how many are listed as doubtful
    doubtful: int = 0
    methods: Counter[tuple[str, bool]] = field(default_factory=Counter)


def main() -> None:
    """Print the section for docs/benchmarks.md; or be the process that is measured."""
    if sys.argv[1:2] == ["inside"]:
        inside(int(sys.argv[2]), sys.argv[3] == "grouped")
        return
    given = [int(text) for text in sys.argv[1:]]
    athletes, years = (*given, *(ATHLETES, YEARS)[len(given) :])
    scores = {True: Score(), False: Score()}
    for seed in range(_FIRST_SEED, _FIRST_SEED + athletes):
        measure.say(f"athlete {seed}")
        sources = Sources(Athlete(seed, years))
        for linked, score in scores.items():
            weigh(sources, linked, score)
    print(section((athletes, years), scores, _cost("generated"), _cost("grouped")))


def weigh(sources: Sources, linked: bool, score: Score) -> None:
    """Match one athlete's records, with or without what they say of one another."""
    records = sources.records
    if not linked:  # a stub is nothing but a link
        records = [replace(one, links=frozenset()) for one in records if not one.is_stub]
    found = grouped(records)
    founders = {number: one.founder for number, one in found.assignments.items()}
    truth = {record.record_id: sources.truth[record.record_id] for record in records}
    want, got = _pairs(truth), _pairs(founders)
    doubts = {(match.first, match.second) for match in found.doubtful}
    score.records += len(records)
    score.right += len(want & got)
    score.wrong += len(got - want)
    score.missed += len(want - got)
    score.asked += len((want - got) & doubts)
    score.doubtful += len(doubts)
    score.methods.update(_by_method(found, truth))
    _tell({record.record_id: record for record in records}, got - want)


def _by_method(found: Grouping, truth: Mapping[int, int]) -> list[tuple[str, bool]]:
    """Say of each record that joined another by what, and whether its founder is of its outing."""
    return [
        (one.method, truth[number] == truth[one.founder])
        for number, one in found.assignments.items()
        if one.method != "own"
    ]


def _pairs(labels: Mapping[int, int]) -> set[Pair]:
    groups: dict[int, list[int]] = defaultdict(list)
    for number in sorted(labels):
        groups[labels[number]].append(number)
    return {pair for group in groups.values() for pair in combinations(group, 2)}


def _tell(known: Mapping[int, Record], wrong: set[Pair]) -> None:
    """Show each wrong pair to whoever looks on."""
    for pair in sorted(wrong):
        for number in pair:
            one = known[number]
            seen = (one.start_s, one.elapsed_s, one.moving_s, one.distance_m, one.sport_type)
            hidden = " hidden" * one.start_hidden
            measure.say(f"  {one.source:9} {seen} {bool(one.line)}{hidden}")
        measure.say("")


def inside(years: int, is_grouped: bool) -> None:
    """Make one athlete's records, and match them or not; print how many, and the CPU seconds."""
    records = Sources(Athlete(_FIRST_SEED, years)).records
    began = time.process_time()
    if is_grouped:
        grouped(records)
    print(len(records), time.process_time() - began)


def _cost(what: str) -> Cost:
    folder = measure.SCRATCH / "matching"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bench.matching", "inside", str(_COST_YEARS), what]
    cost = measure.run(command, folder, {"PYTHONPATH": str(measure.REPOSITORY)})
    shutil.rmtree(folder)
    return cost


def section(
    size: tuple[int, int], scores: Mapping[bool, Score], generated: Cost, matched: Cost
) -> str:
    """Write the section."""
    count = len(Sources(Athlete(_FIRST_SEED, _COST_YEARS)).records)
    rows = [
        ("as the sources tell it", *_told(scores[True])),
        ("the same without any id of another source", *_told(scores[False])),
    ]
    cpu_s, peak_mb = matched.cpu_s - generated.cpu_s, matched.peak_mb - generated.peak_mb
    given = "; ".join(f"{name} {share:.1%}" for name, share in PARAMETERS.items())
    return "\n\n".join(
        [
            "## Matching",
            f"{size[0]} made-up athletes, {size[1]} years, four sources "
            "(`python -m bench.matching`). Counted are pairs of records. Commutes there and back, "
            "equal runs twice a day, intervals saved one by one, and sessions without a break are "
            f"among them. Of the records, or in the sources named: {given}. "
            f"Grouping {count:,} records of one athlete: {cpu_s:.1f} CPU s, {peak_mb:.0f} MB.",
            measure.table(
                ("", "records", "precision", "recall", "wrong", "missed", "asked about"), rows
            ),
            measure.table(
                ("joined by", "records", "wrong", "without ids", "wrong"), _methods(scores)
            ),
        ]
    )


def _told(score: Score) -> tuple[str, ...]:
    precision = score.right / (score.right + score.wrong)
    recall = score.right / (score.right + score.missed)
    return (
        *(f"{score.records:,}", f"{precision:.3%}", f"{recall:.2%}", str(score.wrong)),
        *(str(score.missed), f"{score.asked} (of {score.doubtful} listed)"),
    )


def _methods(scores: Mapping[bool, Score]) -> list[tuple[str, ...]]:
    return [
        (
            method,
            *(
                f"{count:,}"
                for score in scores.values()
                for count in (
                    score.methods[method, True] + score.methods[method, False],
                    score.methods[method, False],
                )
            ),
        )
        for method in ("strava_id", "external_id", "time", "track")
    ]


if __name__ == "__main__":
    main()
