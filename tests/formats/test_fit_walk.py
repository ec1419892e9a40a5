"""Finding messages: runs, single ones, redefinitions, compressed headers, cut-off ends."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from tests.formats.fit_builder import RECORD, UINT8, definition
from tracklake.formats.fit_columns import offsets_of
from tracklake.formats.fit_walk import MAX_LAYOUTS, walk

steps = st.lists(
    st.one_of(
        st.tuples(st.just("define"), st.integers(0, 3), st.integers(0, 40)),
        st.tuples(st.just("message"), st.integers(0, 3), st.integers(1, 90)),
        st.tuples(st.just("compressed"), st.integers(0, 3), st.integers(0, 31)),
    ),
    max_size=40,
)


def build(plan: list[tuple[str, int, int]]) -> tuple[bytes, list[tuple[int, int]]]:
    """Return a body and, one by one, where its messages begin and how long they are."""
    body = b"".join(definition(local, RECORD, [(3, 5 + local, UINT8)]) for local in range(4))
    sizes = [5, 6, 7, 8]
    expected = []
    for kind, local, number in plan:
        if kind == "define":
            sizes[local] = number
            body += definition(local, RECORD, [(3, number, UINT8)])
            continue
        header = local if kind == "message" else 0x80 | local << 5 | number
        for _ in range(number if kind == "message" else 1):
            expected.append((len(body), 1 + sizes[local]))
            body += bytes((header,)) + b"\x41" * sizes[local]
    return body, expected


@given(steps)
def test_every_message_is_found_once(plan: list[tuple[str, int, int]]) -> None:
    """Whatever the order of definitions and messages, each is found where it was written."""
    body, expected = build(plan)
    walked = walk(body, 0, len(body))
    found = [
        (offset, kind.layout.length)
        for kind in walked.messages
        for offset in offsets_of(kind, 1 << 40).tolist()
    ]
    assert sorted(found) == expected
    assert walked.problems == ()


@given(steps, st.integers(1, 60))
def test_a_limit_takes_the_first(plan: list[tuple[str, int, int]], limit: int) -> None:
    """A limit of n messages gives the first n offsets of all."""
    body, _ = build(plan)
    for kind in walk(body, 0, len(body)).messages:
        whole = offsets_of(kind, 1 << 40)
        assert offsets_of(kind, limit).tolist() == whole[:limit].tolist()
        assert len(kind) == len(whole)


@given(steps, st.data())
def test_a_cut_keeps_what_was_whole(plan: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """Of a body that is cut off anywhere, every message before the cut is still found."""
    body, expected = build(plan)
    cut = data.draw(st.integers(0, len(body)))
    walked = walk(body, 0, cut)
    found = {o for kind in walked.messages for o in offsets_of(kind, 1 << 40).tolist()}
    assert {offset for offset, length in expected if offset + length <= cut} <= found


@given(st.binary(max_size=600))
def test_any_bytes_end_somewhere(data: bytes) -> None:
    """Bytes that are no FIT at all raise nothing and give no message outside of themselves."""
    for kind in walk(data, 0, len(data)).messages:
        offsets = offsets_of(kind, 1 << 40)
        assert all(0 <= o <= len(data) - kind.layout.length for o in offsets.tolist())


def test_layouts_are_bounded() -> None:
    """A definition bomb ends after MAX_LAYOUTS different definitions, with one sentence."""
    bomb = b"".join(
        definition(0, RECORD, [(3, 1, UINT8), (number % 250, 1 + number // 250, UINT8)])
        for number in range(MAX_LAYOUTS + 500)
    )
    walked = walk(bomb, 0, len(bomb))
    assert len(walked.messages) == MAX_LAYOUTS
    assert len(walked.problems) == 1


def test_repeated_definitions_are_one_layout() -> None:
    """A definition repeated before every message, as Suunto writes it, is read once."""
    unit = definition(0, RECORD, [(3, 1, UINT8)]) + struct.pack("BB", 0, 99)
    walked = walk(unit * 100, 0, len(unit) * 100)
    assert [len(kind) for kind in walked.messages] == [100]
