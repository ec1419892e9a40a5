"""Sizes and habits that no linter holds: the tail of long functions and modules cannot grow."""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))

LONGEST_FUNCTION = 50
LONGEST_FUNCTION_P90 = 25
LONGEST_MODULE = 300

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> Iterator[_Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, _Function):
            yield node


def _length(function: _Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def test_functions_are_short() -> None:
    """No function of the package is longer than 50 lines."""
    too_long = [
        f"{_name(path)}:{function.lineno} {function.name}: {_length(function)} lines"
        for path in SOURCES
        for function in _functions(path)
        if _length(function) > LONGEST_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)


def test_nine_functions_of_ten_are_very_short() -> None:
    """The 90th percentile of the function lengths is at most 25 lines."""
    lengths = sorted(_length(function) for path in SOURCES for function in _functions(path))
    p90 = lengths[math.ceil(0.9 * len(lengths)) - 1]
    assert p90 <= LONGEST_FUNCTION_P90, f"90 % of {len(lengths)} functions reach {p90} lines"


def test_modules_are_short() -> None:
    """No module of the package is longer than 300 lines."""
    sizes = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    too_long = {name: lines for name, lines in sizes.items() if lines > LONGEST_MODULE}
    assert not too_long


def test_every_test_says_what_it_proves() -> None:
    """Every test function has a docstring."""
    silent = [
        f"{_name(path)}:{function.lineno} {function.name}"
        for path in TESTS
        for function in _functions(path)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\bmock\.patch|\bfrom unittest|\bimport mock\b", "pass a fake instead of patching"),
        (r"@pytest\.mark\.(skip|xfail|skipif)\b", "a test is there to run"),
        (r"^\s*assert True\b", "this cannot fail"),
        (r"^\s*except Exception\b", "catch what is meant"),
    ],
)
def test_tests_do_not_deceive(pattern: str, why: str) -> None:
    """No test patches modules, is switched off, or cannot fail."""
    found = [
        f"{_name(path)}:{number} {why}: {line.strip()}"
        for path in TESTS
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, "\n".join(found)


def test_asserts_compare_something() -> None:
    """No assertion is a non-empty tuple, a constant or a comparison of a name with itself."""
    empty = [
        f"{_name(path)}:{node.lineno} {ast.unparse(node)}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert) and _is_empty(node.test)
    ]
    assert not empty, "\n".join(empty)


def _is_empty(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant | ast.Tuple):
        return True
    return isinstance(test, ast.Compare) and [ast.dump(test.left)] == [
        ast.dump(right) for right in test.comparators
    ]
