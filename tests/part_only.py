"""A plug-in for a stratified part of the tests: `-p tests.part_only --part 1/2` keeps every second
one of each file, whatever is added to others. What is proved once, by `make test`, is left out.
"""

import fnmatch
import itertools
import zlib

import pytest

# The slow ones: processes killed at each step, browsers, long random histories. `make test` runs
# them on one version of Python and DuckDB; elsewhere the quick tests of the same code have to do.
ONCE = (
    "tests/web/*",
    "tests/reliability/test_corruption_warehouse.py::*",
    "tests/reliability/test_canaries.py::*",
    "tests/reliability/test_month.py::*",
    "tests/reliability/test_races*",
    "tests/reliability/test_readers*.py::*",
    "tests/reliability/test_security_hostile.py::*",
    "tests/reliability/test_*sweep.py::*",
    "tests/upgrades/*",
    "tests/reliability/test_tokens_at_once.py::*",
    "tests/reliability/test_two_at_once.py::*",
    "*_killed.py::*",
    "tests/sources/test_strava_reconcile.py::test_random_histories",
    "*::test_order_pieces_and_repetition_change_nothing",
    "*::test_order_splitting_and_repetition_of_shards_change_nothing",
    "*::test_resumed_from_every_checkpoint*",
    "*::test_a_backfill_over_a_week_is_as_short_as_the_quota_allows",
    "*::test_a_year_of_backups",
    "*::test_an_idle_scheduler_gives_signs_all_the_time",
    "*::test_at_five_in_real_time_it_runs_the_real_flow",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--part`."""
    parser.addoption("--part", default="1/1", help="which part of how many, such as 1/2")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of the other parts, and those that run once."""
    part, parts = map(int, config.getoption("--part").split("/"))
    kept = set()
    again = sorted((item for item in items if not _runs_once(item)), key=_place)
    for path, of_file in itertools.groupby(again, key=lambda item: item.path):
        shift = zlib.crc32(path.name.encode())  # or the odd one of each file fell to the first part
        kept |= {item.nodeid for at, item in enumerate(of_file) if (at + shift) % parts == part - 1}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in kept])
    items[:] = [item for item in items if item.nodeid in kept]


def _runs_once(item: pytest.Item) -> bool:
    return any(fnmatch.fnmatchcase(item.nodeid, pattern) for pattern in ONCE)


def _place(item: pytest.Item) -> tuple[str, str]:
    return str(item.path), item.nodeid
