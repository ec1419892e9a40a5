"""What a session is called while it is at work and when it has ended, and when it will end.

initiated → fetching → enriching → storing → completed | completed_with_errors | waiting_quota |
needs_auth | failed | retrying. The three in the middle follow the phase at work, so they can come
again.
"""

import datetime as dt
import hashlib

AT_WORK = ("initiated", "fetching", "enriching", "storing")
AT_WORK_SQL = "('" + "', '".join(AT_WORK) + "')"
WELL = ("completed", "completed_with_errors", "waiting_quota")
WELL_SQL = "('" + "', '".join(WELL) + "')"
RETRYING = "retrying"  # ended before its end; what it left is taken up by the next

_OF_PHASES = {
    **dict.fromkeys(("enrich", "weather", "places", "nominatim"), "enriching"),
    **dict.fromkeys(("compact", "tiles", "backup"), "storing"),
}


def of_phase(name: str) -> str:
    """Return the state of a session that is in a phase ("compact 2" is the second of its kind).

    Whatever is not known talks to a source.
    """
    return _OF_PHASES.get(name.split(" ")[0], "fetching")


def estimated_end(
    began: dt.datetime, now: dt.datetime, processed: int, total: int | None
) -> dt.datetime | None:
    """Return when all will be done if it goes on as it did; None where nothing tells."""
    if not total or not 0 < processed <= total:
        return None
    return now + (now - began) * (total - processed) / processed


def trace_id(session_id: str) -> str:
    """Return the session's id as OpenTelemetry wants one: 32 hexadecimal digits."""
    return hashlib.sha256(session_id.encode()).hexdigest()[:32]


def span_id(session_id: str, phase: str = "") -> str:
    """Return the id of a phase, or of the session as a whole: 16 hexadecimal digits."""
    return hashlib.sha256(f"{session_id}/{phase}".encode()).hexdigest()[:16]
