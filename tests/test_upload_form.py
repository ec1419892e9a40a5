"""What Strava's answers to an upload mean, and what is sent: pure."""

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
from tracklake.uploads.candidates import MOST_BYTES, File
from tracklake.uploads.looking import name_of
from tracklake.uploads.replies import Reply

HOUR_S = 3_600.0
NOON_S = 1_700_049_600.0  # 2023-11-15T12:00:00Z


def file(**changes: Any) -> File:
    """Return a run of an hour at noon."""
    usual = dataclasses.replace(
        form.EXAMPLE, file_sha256=f"{1:064x}", start_s=NOON_S, elapsed_s=HOUR_S
    )
    return dataclasses.replace(usual, **changes)


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
    assert name_of("tracklake-12.fit") == name_of("tracklake-12.gpx.gz") == "tracklake-12"
    assert name_of("tracklake-123.fit") != "tracklake-12"
    assert name_of(None) == ""


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
    with pytest.raises(ConfigError, match=r"there is no \{moon\}; there are: \{date\}"):
        form.named("{sport} on {moon}", tokyo)


def test_the_parser_of_the_simulator_is_not_ours() -> None:
    """The form is read by Python's own parser of mail, which knows nothing of our writer."""
    body, content_type = form.encode({"a": "b"}, "x.fit", b"123")
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    whole = parser.parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    assert whole.is_multipart()
    assert whole.defects == []
