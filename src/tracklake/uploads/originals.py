"""The bytes of a file that goes to Strava, as they came."""

from tracklake.config import Folders
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.intake import containers
from tracklake.uploads.candidates import File


def content(folders: Folders, file: File) -> bytes:
    """Return the bytes that Strava is to get, unpacked; InvalidData if they are not those."""
    path = folders.data / file.location
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidData(f"{path}: {error.strerror}", reason="unreadable") from None
    if data.startswith(b"\x1f\x8b\x08"):
        data = containers.gunzip(data)[0]
    if bytes_hash(data) != file.file_sha256:
        message = f"{path} is not what it was (`tracklake doctor --deep` says more)"
        raise InvalidData(message, reason="damaged")
    return data
