"""Strava: what applying details, one more day, a first pull cost, ours and the peer's way.

python -m bench.strava [details day pull enrich]
"""

import shutil
import sys

from bench import strava_fetching, strava_gold
from bench.strava_runs import MOST_MB, PLACE

_PARTS = {
    "details": strava_gold.of_details,
    "day": strava_gold.of_a_day,
    "pull": strava_fetching.of_a_pull,
    "enrich": strava_fetching.of_enriching,
}
_TITLE = f"""## Strava

`python -m bench.strava`: an athlete's list as the tests' simulator of Strava gives it. The peer's
way (`bench/peer.py`, written from its description): pandas, one Parquet file a run; one upsert a
row, each committed by itself, into tables with primary keys; `CREATE OR REPLACE TABLE` of
everything from all files. It does less: no laps, best efforts or geometry, no pages are kept,
nothing is checked or published. Memory is that of the largest process; less than {MOST_MB} MB is
wanted, whatever the history."""


def main() -> None:
    """Print the section for docs/benchmarks.md."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    sections = [_PARTS[name]() for name in sys.argv[1:] or _PARTS]
    print("\n\n".join([_TITLE, *sections]))
    shutil.rmtree(PLACE, ignore_errors=True)


if __name__ == "__main__":
    main()
