"""A plug-in for a stratified part of the tests: `-p tests.part_only --part 1/2` keeps every second
one of each file, whatever is added to others.
"""

import itertools
import zlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `--part`."""
    parser.addoption("--part", default="1/1", help="which part of how many, such as 1/2")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of the other parts."""
    part, parts = map(int, config.getoption("--part").split("/"))
    kept = set()
    for path, of_file in itertools.groupby(sorted(items, key=_place), key=lambda item: item.path):
        shift = zlib.crc32(path.name.encode())  # or the odd one of each file fell to the first part
        kept |= {item.nodeid for at, item in enumerate(of_file) if (at + shift) % parts == part - 1}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in kept])
    items[:] = [item for item in items if item.nodeid in kept]


def _place(item: pytest.Item) -> tuple[str, str]:
    return str(item.path), item.nodeid
