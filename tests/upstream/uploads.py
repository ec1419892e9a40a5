"""Files uploaded to the simulated Strava: taken, worked on for a while, then an activity or not."""

import dataclasses
import datetime as dt
import email.message
import email.parser
import email.policy
import gzip
import io
from collections import Counter
from typing import Any

from tests.upstream.account import Account
from tests.upstream.activities import Item
from tests.upstream.calls import Answer, Call
from tests.upstream.observed import bad_request, error
from tracklake.errors import InvalidData
from tracklake.formats import fit, gpx, tcx
from tracklake.model import Recording

PROCESSING = "Your activity is still being processed."
READY = "Your activity is ready."
WRONG = "There was an error processing your activity."
DELETED = "The created activity has been deleted."
KINDS = ("fit", "fit.gz", "tcx", "tcx.gz", "gpx", "gpx.gz")
MOST_BYTES = 25_000_000
FIRST_ID = 16_000_000_000
WRITE_MISSING = {
    "message": "Authorization Error",
    "errors": [
        {"resource": "AccessToken", "field": "activity:write_permission", "code": "missing"}
    ],
}


@dataclasses.dataclass
class Upload:
    """A file that was taken."""

    id: int
    fields: dict[str, str]
    content: bytes
    ready_at: dt.datetime
    external_id: str | None = None
    activity_id: int | None = None
    error: str | None = None
    done: bool = False


class UploadDesk:
    """POST /uploads and GET /uploads/{id}.

    `processing_s`: how long it works on a file. `words`: how a duplicate is told, "id" or "html".
    `created`: which activity came from which content, for every activity that ever came.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.processing_s = 8.0
        self.words = "id"
        self.uploads: dict[int, Upload] = {}
        self.created: list[tuple[int, bytes]] = []

    def taken(self) -> Counter[bytes]:
        """Count how often each content was taken, whatever became of it."""
        return Counter(upload.content for upload in self.uploads.values())

    def post(self, call: Call) -> Answer:
        """Take a file; 201 says only that it will be looked at."""
        fields, content = form_of(call)
        if fields.get("data_type") not in KINDS:
            return bad_request("data_type")
        if not content:
            return Answer(400, {"message": "Bad Request", "errors": [_fault("file", "empty")]})
        if len(content) > MOST_BYTES:
            return Answer(413, {"message": "Request Entity Too Large"})
        upload = Upload(
            id=FIRST_ID + len(self.uploads) * 7,
            fields=fields,
            content=gzip.decompress(content) if fields["data_type"].endswith(".gz") else content,
            ready_at=call.moment + dt.timedelta(seconds=self.processing_s),
        )
        self.uploads[upload.id] = upload
        return Answer(201, _shown(upload, PROCESSING))

    def get(self, number: int) -> Answer:
        """Say where an upload stands."""
        upload = self.uploads.get(number)
        if upload is None:
            return error("absent")
        if not upload.done:
            return Answer(payload=_shown(upload, PROCESSING))
        if upload.error:
            return Answer(payload=_shown(upload, WRONG))
        item = self.account.items[upload.activity_id or 0]
        if item.deleted:
            return Answer(payload=_shown(upload, DELETED) | {"activity_id": None})
        return Answer(payload=_shown(upload, READY))

    def work(self, now: dt.datetime) -> None:
        """Finish what has waited long enough, in the order in which it came."""
        for upload in self.uploads.values():
            if not upload.done and upload.ready_at <= now:
                upload.done = True
                self._finish(upload)

    def _finish(self, upload: Upload) -> None:
        name = f"{upload.fields.get('external_id', 'file')}.{upload.fields['data_type']}"
        recording = _decoded(upload)
        if recording is None:
            upload.error = f"{name} The file is malformed."
            return
        session = recording.sessions[0]
        start = dt.datetime.fromtimestamp(session.start_s, dt.UTC)
        elapsed_s = int(session.elapsed_time_s or 0)
        twin = self._twin(start, elapsed_s)
        if twin is not None:
            upload.error = f"{name} duplicate of {self._said(twin)}"
            return
        told: dict[str, Any] = {"elapsed_time": elapsed_s, "moving_time": elapsed_s}
        told |= {"external_id": name, "upload_id": upload.id, "upload_id_str": str(upload.id)}
        if "name" in upload.fields:
            told["name"] = upload.fields["name"]
        upload.activity_id = self.account.upload(
            start, sport_type="Run", distance=float(session.distance_m or 400.0), **told
        )
        upload.external_id = name
        self.created.append((upload.activity_id, upload.content))

    def _twin(self, start: dt.datetime, elapsed_s: int) -> Item | None:
        """Find what Strava takes for the same: by start and length, not by name."""
        return next(
            (
                item
                for item in self.account.items.values()
                if not item.deleted
                and abs((item.start - start).total_seconds()) < 60
                and abs(item.course().elapsed_s - elapsed_s) < 60
            ),
            None,
        )

    def _said(self, item: Item) -> str:
        if self.words == "html":
            name = item.fields["name"]
            return f"<a href='/activities/{item.id}' target='_blank'>{name}</a>"
        return f"activity {item.id}"


def form_of(call: Call) -> tuple[dict[str, str], bytes]:
    """Read a multipart form: its fields, and the file."""
    head = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    fields, content = {}, b""
    for part in parser.parsebytes(head + call.body).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        if name == "file":
            content = _bytes(part)
        else:
            fields[name] = _bytes(part).decode()
    return fields, content


def _bytes(part: email.message.Message) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def _decoded(upload: Upload) -> Recording | None:
    kind = upload.fields["data_type"].partition(".")[0]
    try:
        if kind == "fit":
            found = fit.decode(upload.content)
        else:
            reader = gpx if kind == "gpx" else tcx
            found = reader.decode(io.BytesIO(upload.content))
    except InvalidData:
        return None
    return found[0] if found and found[0].sessions else None


def _shown(upload: Upload, status: str) -> dict[str, object]:
    return {
        "id": upload.id,
        "id_str": str(upload.id),
        "external_id": upload.external_id,
        "error": upload.error,
        "status": status,
        "activity_id": upload.activity_id,
    }


def _fault(field: str, code: str) -> dict[str, str]:
    return {"resource": "Upload", "field": field, "code": code}
