"""Which files Strava lacks, what its answers mean, and what is sent: the pure parts."""

import dataclasses
import email.parser
import email.policy
import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upstream.calls import Call
from tests.upstream.clock import FIRST_MOMENT
from tests.upstream.uploads import form_of
from tracklake.errors import ConfigError
from tracklake.uploads import form, replies
from tracklake.uploads.candidates import MOST_BYTES, File, Span, State, Wish, blocker, plan
from tracklake.uploads.replies import Reply

HOUR_S = 3_600.0
NOON_S = 1_700_049_600.0  # 2023-11-15T12:00:00Z
NOW_S = NOON_S + 365 * 86_400


def file(number: int = 1, **changes: Any) -> File:
    """Return a run of an hour at noon."""
    usual = File(
        file_sha256=f"{number:064x}",
        source="files",
        source_id=f"{number:064x}",
        location="bronze/x.fit",
        file_format="fit",
        sport_type="Run",
        start_s=NOON_S,
        elapsed_s=HOUR_S,
        distance_m=10_000.0,
        points=3_600,
        size_bytes=50_000,
    )
    return dataclasses.replace(usual, **changes)


def span(later_s: float = 0.0, **changes: Any) -> Span:
    """Return an hour on Strava that begins so much later."""
    usual = Span(start_s=NOON_S + later_s, elapsed_s=HOUR_S, distance_m=10_000.0, activity_id="7")
    return dataclasses.replace(usual, **changes)


@pytest.mark.parametrize(
    ("there", "blocks"),
    [
        (span(), True),
        (span(HOUR_S - 1), True),  # begins in its last second
        (span(1.24 * HOUR_S), True),  # within 15 minutes after its end
        (span(1.26 * HOUR_S, elapsed_s=60.0), False),
        (span(-1.24 * HOUR_S), True),
        (span(-1.26 * HOUR_S, elapsed_s=HOUR_S), False),
        (span(-10 * HOUR_S, elapsed_s=12 * HOUR_S), True),  # a long one around it
        (span(2 * HOUR_S), True),  # the same recording by a clock of another zone
        (span(-5.5 * HOUR_S), True),
        (span(2 * HOUR_S, elapsed_s=HOUR_S + 100), False),  # the way home is not the way to work
        (span(2 * HOUR_S, distance_m=7_000.0), False),
        (span(2.25 * HOUR_S), False),
        (span(20 * HOUR_S), False),
        (
            span(-12 * HOUR_S, start_hidden=True, elapsed_s=60.0),
            True,
        ),  # midnight: any time that day
        (span(13 * HOUR_S, start_hidden=True, elapsed_s=60.0), True),  # of a zone far away
        (span(20 * HOUR_S, start_hidden=True), False),
    ],
)
def test_what_may_be_the_same_outing_is_in_the_way(there: Span, blocks: bool) -> None:
    """Overlap with 15 minutes' slack, another zone's clock, a hidden start; and nothing else."""
    assert (blocker(file(), [there]) is there) == blocks


@given(
    starts=st.lists(st.floats(0, 4e5), min_size=1, max_size=12),
    lengths=st.lists(st.floats(60, 2e4), min_size=12, max_size=12),
    strava=st.lists(st.tuples(st.floats(-1e5, 5e5), st.floats(0, 2e5), st.booleans()), max_size=8),
)
def test_nothing_in_a_plan_overlaps(
    starts: list[float], lengths: list[float], strava: list[tuple[float, float, bool]]
) -> None:
    """Whatever is here and there: what goes overlaps with nothing of Strava's and not with itself.

    And the days by which spans are looked up hide none of them.
    """
    files = [
        file(number, start_s=NOON_S + start_s, elapsed_s=lengths[number])
        for number, start_s in enumerate(starts)
    ]
    spans = [
        span(start_s, elapsed_s=elapsed_s, start_hidden=hidden)
        for start_s, elapsed_s, hidden in strava
    ]
    made = plan(files, spans, {}, Wish(), NOW_S)
    for one in made.files:
        assert blocker(one, spans) is None
        for other in made.files:
            apart_s = abs(one.start_s - other.start_s)
            assert one is other or apart_s >= min(one.elapsed_s, other.elapsed_s)
    assert len(made.files) + sum(made.kept.values()) == len(files)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("done", "uploaded before"),
        ("duplicate", "on Strava"),
        ("there", "on Strava, or was"),
        ("processing", "on the way"),
        ("uploading", "on the way"),
        ("failed", "refused by Strava before"),
    ],
)
def test_the_ledger_is_heeded(state: State, why: str) -> None:
    """A file in any state but pending does not go; one that was refused goes when asked for."""
    made = plan([file()], [], {file().file_sha256: state}, Wish(), NOW_S)
    assert (made.files, made.kept) == ([], {why: 1})
    again = plan([file()], [], {file().file_sha256: state}, Wish(again=True), NOW_S)
    assert again.files == ([file()] if state == "failed" else [])
    assert plan([file()], [], {file().file_sha256: "pending"}, Wish(), NOW_S).files == [file()]


def test_the_better_of_two_files_goes_and_the_other_after_a_refusal() -> None:
    """FIT before TCX before GPX, then more points; who was refused takes nobody's place."""
    gpx, fit = file(1, file_format="gpx", points=9_000), file(2, points=100)
    denser = file(3, points=200)
    made = plan([gpx, fit, denser], [], {}, Wish(), NOW_S)
    assert made.files == [denser]
    assert made.kept == {"another file of the same time goes": 2}
    made = plan([gpx, fit, denser], [], {denser.file_sha256: "failed"}, Wish(), NOW_S)
    assert made.files == [fit]


def test_what_strava_has_is_remembered_by_its_id() -> None:
    """A file that is in Strava's way is handed out with the activity; one in a file's way not."""
    made = plan([file()], [span(what="deleted on Strava")], {}, Wish(), NOW_S)
    assert [(one.file_sha256, there.activity_id) for one, there in made.there] == [
        (file().file_sha256, "7")
    ]
    assert made.kept == {"deleted on Strava": 1}


@pytest.mark.parametrize(
    ("changes", "wish", "why"),
    [
        ({"problem": "without an original"}, Wish(), "without an original"),
        ({"start_s": NOW_S + 1}, Wish(), "begins in the future"),
        ({}, Wish(since_s=NOON_S + 1), "before --since"),
        ({}, Wish(sports=frozenset({"ride"})), "another sport than --sport"),
    ],
)
def test_reasons_to_stay(changes: dict[str, Any], wish: Wish, why: str) -> None:
    """Each reason is counted under its own words."""
    assert plan([file(**changes)], [], {}, wish, NOW_S).kept == {why: 1}


# ---- Strava's answers

BASE: dict[str, object] = {
    "id": 16, "id_str": "16", "external_id": None, "error": None, "activity_id": None,
    "status": "Your activity is still being processed.",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Reply(state="processing", upload_id="16")),
        ({"id_str": None}, Reply(state="processing", upload_id="16")),
        (
            {"status": "Your activity is ready.", "activity_id": 83, "external_id": "x.fit"},
            Reply(state="done", upload_id="16", activity_id="83"),
        ),
        (
            {"error": "17611540601.tcx duplicate of activity 8319193780"},
            Reply(state="duplicate", upload_id="16", activity_id="8319193780"),
        ),
        (
            {"error": "r.fit duplicate of <a href='/activities/150' target='_blank'>Ride</a>"},
            Reply(state="duplicate", upload_id="16", activity_id="150"),
        ),
        (
            {
                "error": 'r.fit Duplicate of <a target="_blank" href="https://s/activities/150">R</a>'
            },
            Reply(state="duplicate", upload_id="16", activity_id="150"),
        ),
        (
            {"status": "The created activity has been deleted."},
            Reply(state="done", upload_id="16", message="deleted on Strava since"),
        ),
        (
            {"error": "x.fit <b>malformed</b>\x1b[2J"},
            Reply(state="failed", upload_id="16", message="x.fit malformed [2J"),
        ),
        ({"id": None, "id_str": None}, None),
        ({"id": True, "id_str": "no number"}, None),
    ],
)
def test_an_uploads_answer(changes: dict[str, object], expected: Reply | None) -> None:
    """Every end that was recorded or is documented, and answers without an id."""
    assert replies.reply({**BASE, **changes}) == expected


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_json_is_an_answer_or_none(value: object) -> None:
    """What is no object, and objects with any values, raise nothing."""
    assert replies.reply(value) is None
    replies.reply(dict.fromkeys(BASE, value))
    replies.refusal(400, {"message": value, "errors": value})


def test_a_refusal_is_said_in_stravas_words() -> None:
    """Message and errors of a Fault become a sentence; a duplicate in it is one."""
    fault = {"message": "Bad Request", "errors": [{"field": "file", "code": "empty"}, 7]}
    said = replies.refusal(400, fault)
    assert said.message == "Strava answered 400: Bad Request; file empty"
    assert replies.refusal(413, None).message == "Strava answered 413: no reason"
    twin = replies.refusal(400, {"error": "x duplicate of activity 5"})
    assert (twin.state, twin.activity_id) == ("duplicate", "5")


def test_our_uploads_are_known_by_their_name() -> None:
    """Strava appends the kind of the file, twice where it was packed."""
    assert replies.is_named("tracklake-12.fit", "tracklake-12")
    assert replies.is_named("tracklake-12.gpx.gz", "tracklake-12")
    assert not replies.is_named("tracklake-123.fit", "tracklake-12")
    assert not replies.is_named(None, "tracklake-12")


# ---- the form


def arrived(body: bytes, content_type: str) -> tuple[dict[str, str], bytes]:
    """Read a form as a server does."""
    call = Call(1, "POST", "/", {}, {}, {"content-type": content_type}, FIRST_MOMENT, body=body)
    return form_of(call)


@given(content=st.binary(max_size=200), name=st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_form_arrives_as_it_was_sent(content: bytes, name: str) -> None:
    """Any bytes and any name: also line ends at the edges, and the boundary's own words."""
    for data in (content, b"\r\n" + content + b"\r\n", b"--tracklake-boundary-0--" + content):
        body, content_type = form.of(
            file(), data, "{name}" + name.replace("{", "").replace("}", "")
        )
        fields, found = arrived(body, content_type)
        assert found == data
        assert fields["data_type"] == "fit"
        assert fields["external_id"] == file().external_id
        assert fields["name"].startswith("Run")


def test_what_is_too_large_goes_packed() -> None:
    """Above 25 MB the file is sent as gzip, under that kind; below it as it is."""
    data = b"<gpx>" + b" " * MOST_BYTES
    fields, found = arrived(*form.of(file(file_format="gpx", trainer=True), data, None))
    assert fields["data_type"] == "gpx.gz"
    assert gzip.decompress(found) == data
    assert fields["trainer"] == "1"
    assert "name" not in fields


def test_names_are_local() -> None:
    """Date and time are those of the athlete's wall clock; what is no field is a mistake."""
    tokyo = file(start_s=NOON_S + 4 * HOUR_S, utc_offset_s=9 * HOUR_S, name="Dusk\nrun")
    assert (
        form.named("{date} {time}: {name} ({sport})", tokyo) == "2023-11-16 01:00: Dusk run (Run)"
    )
    for wrong in ("{moon}", "{", "{0}", "{name.x}"):
        with pytest.raises(ConfigError, match="--name"):
            form.named(wrong, tokyo)


def test_the_parser_of_the_simulator_is_not_ours() -> None:
    """The form is read by Python's own parser of mail, which knows nothing of our writer."""
    body, content_type = form.encode({"a": "b"}, "x.fit", b"123")
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    whole = parser.parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert whole.is_multipart()
    assert whole.defects == []
