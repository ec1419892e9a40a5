"""JSON as services send it: read if it can be, refused if it cannot."""

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.json_text import parse

TEXT = st.text() | st.text(st.characters(categories=("Cs", "Cc", "Lu")))  # halves of characters too
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_what_another_writer_wrote(value: Any) -> None:
    """All that the standard library writes, NaN and lone surrogates included, is read the same."""
    text = json.dumps(value)
    assert repr(parse(text.encode())) == repr(json.loads(text))


@given(st.binary(max_size=40))
def test_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever the bytes are, there is a value or a ValueError, and nothing else."""
    try:
        parse(data)
    except ValueError:
        return
    data.decode("utf-8-sig")


def test_a_byte_order_mark() -> None:
    """A byte order mark before the text is passed over."""
    assert parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_lone_surrogate() -> None:
    """An escape that is half a character does not cost the whole text."""
    assert parse(b'{"name": "\\ud800"}') == {"name": "\ud800"}


def test_numbers_that_are_none() -> None:
    """NaN and infinities, which JSON does not know, are let through."""
    found = parse(b"[NaN, Infinity, -Infinity]")
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]


def test_whole_numbers_stay_exact() -> None:
    """Ids that a float could not hold are read exactly, also beside what orjson refuses."""
    large = 2**63 - 1
    assert parse(f"[{large}]".encode()) == [large]
    assert parse(f"[{large}, NaN]".encode())[0] == large


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b'{"a": 1',
        b"{'a': 1}",
        b'{"n": "Caf\xe9"}',
        b"\xff\xfe[\x00]\x00",
        b"[" * 9_999,
    ],
)
def test_what_is_no_json(data: bytes) -> None:
    """Nothing, HTML, what was cut, other encodings and endless nesting are refused."""
    with pytest.raises(ValueError, match=r"."):
        parse(data)


def test_the_quick_way_is_taken() -> None:
    """What orjson reads is what it says, for instance of a key that stands twice."""
    text = b'{"distance": 1.0, "distance": 2.0}'
    assert parse(text) == orjson.loads(text) == {"distance": 2.0}
