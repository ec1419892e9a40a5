"""SECURITY.md: each rule names the tests that hold it, and those exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PAGE = (REPOSITORY / "SECURITY.md").read_text("utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
NAMED = sorted(set(_NAMED.findall(PAGE)))


def functions(path: Path) -> set[str]:
    """Return the names of a module's tests."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_rules_name_tests() -> None:
    """The table is there, and each of its rows names at least one test."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) >= 15
    assert [row for row in rows if not _NAMED.search(row)] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_named_tests_exist(path: str, name: str) -> None:
    """A test that the page names is there."""
    assert (REPOSITORY / path).is_file()
    assert not name or name in functions(REPOSITORY / path)


@pytest.mark.parametrize(
    "lock", sorted(path.name for path in REPOSITORY.glob("requirements*.lock"))
)
def test_locks_name_each_package_with_its_hash(lock: str) -> None:
    """Every package of a lock has one version and a hash, so nothing else can be installed."""
    text = (REPOSITORY / lock).read_text("utf-8")
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    bare = [
        one.split("\n")[0]
        for one in packages
        if not re.match(r"\S+==\S+( ;.*)? \\\n +--hash=sha256:", one)
    ]
    assert bare == []


def test_the_linter_looks_for_insecure_code() -> None:
    """ruff's rules of bandit (S) and of blind catching (BLE) are on for all of the package."""
    lint = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert {"S", "BLE"} <= set(lint["select"])
    assert not any(rule.startswith("S") and rule[1:2].isdigit() for rule in lint["ignore"])
    assert not any(
        rule.startswith(("S1", "S2", "S3", "S5", "S6", "S7"))
        for pattern, rules in lint["per-file-ignores"].items()
        if pattern.startswith("src")
        for rule in rules
    )
