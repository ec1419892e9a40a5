"""Names that never change: ids made from what a thing is, not from when it was seen."""

import hashlib

import orjson

_LOWEST_ID = (
    1 << 52
)  # above every Strava id, below 2**53 so that JavaScript and tiles hold it exactly


def stable_id(*parts: str) -> int:
    """Hash text parts to an id between 2**52 and 2**53."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return _LOWEST_ID | (int.from_bytes(digest[:8], "big") & (_LOWEST_ID - 1))


def record_id(athlete: str, source: str, source_id: str) -> int:
    """Return the id of one source's record of an activity."""
    return stable_id(athlete, source, source_id)


def content_hash(record: object) -> str:
    """Hash a JSON-like record; equal content gives an equal hash whatever the order of its keys."""
    data = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_DATACLASS)
    return hashlib.sha256(data).hexdigest()


def bytes_hash(data: bytes) -> str:
    """Hash bytes as they are."""
    return hashlib.sha256(data).hexdigest()
