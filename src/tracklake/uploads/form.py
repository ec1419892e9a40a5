"""The form in which a file is sent (multipart/form-data), and its name for people: pure."""

import gzip
from collections.abc import Mapping

from tracklake.clock import from_unix
from tracklake.errors import ConfigError
from tracklake.uploads.candidates import MOST_BYTES, File

EXAMPLE = File(
    activity_id=0,
    file_sha256="",
    source="files",
    source_id="",
    location="",
    file_format="fit",
    sport_type="Run",
    start_s=0.0,
    elapsed_s=0.0,
)
_FIELDS = "{date}, {time}, {sport}, {name}"


def encode(fields: Mapping[str, str], file_name: str, content: bytes) -> tuple[bytes, str]:
    """Return a body and its Content-Type: the fields, then `file`."""
    number = 0
    while (boundary := f"tracklake-boundary-{number}").encode() in content or any(
        boundary in value for value in fields.values()
    ):
        number += 1
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def of(file: File, content: bytes, template: str | None) -> tuple[bytes, str]:
    """Return the form of a file: packed only where it is else too large for Strava."""
    kind = file.file_format
    if len(content) > MOST_BYTES:
        content, kind = gzip.compress(content, mtime=0), f"{kind}.gz"
    fields = {"data_type": kind, "external_id": file.external_id}
    if template is not None:
        fields["name"] = named(template, file)
    if file.trainer:
        fields["trainer"] = "1"
    return encode(fields, f"{file.external_id}.{kind}", content)


def named(template: str, file: File) -> str:
    """Fill a template in with an activity's local date and time, sport and own name.

    Raises ConfigError for a field that there is not.
    """
    local = from_unix(file.start_s + file.utc_offset_s)
    values = {
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "sport": file.sport_type,
        "name": file.name or file.sport_type,
    }
    try:
        text = template.format_map(values)
    except KeyError as error:
        said = f"--name: there is no {{{error.args[0]}}}; there are: {_FIELDS}"
        raise ConfigError(said) from None
    except (LookupError, ValueError, AttributeError, TypeError):
        raise ConfigError(f"--name: {template!r} is no template; there are: {_FIELDS}") from None
    return " ".join(text.split())
