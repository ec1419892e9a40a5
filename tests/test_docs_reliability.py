"""docs/reliability.md: every fault and promise is there, and the tests that it names exist."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
GROUPS = {"P": 25, "T": 10, "Q": 9, "A": 6, "E": 4, "C": 11, "D": 9, "L": 10}
NOT_YET = ("P19", "C11")  # they come with the API


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_named_tests_exist(path: str, name: str) -> None:
    """What is said to prove something is a test of that file."""
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_promise_and_fault_has_its_row_and_its_test() -> None:
    """None is left out, and none is called proved by nothing."""
    rows = dict(_rows())
    wanted = {f"{group}{number}" for group, most in GROUPS.items() for number in range(1, most + 1)}
    assert rows.keys() == wanted
    assert {one for one, proof in rows.items() if "::" not in proof} == set(NOT_YET)


def _rows() -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^\| ([A-Z]\d+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
