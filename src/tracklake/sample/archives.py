"""ZIP and gzip whose bytes depend on their contents alone: no clock, no system, no user in them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterable

Member = tuple[str, bytes]

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment that ZIP can say
_UNIX = 3


def zipped(members: Iterable[Member]) -> bytes:
    """Return a ZIP of the members, in the order given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, date_time=_EARLIEST)
            info.create_system = _UNIX
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def gzipped(content: bytes) -> bytes:
    """Return the content as a gzip file."""
    return gzip.compress(content, compresslevel=6, mtime=0)
