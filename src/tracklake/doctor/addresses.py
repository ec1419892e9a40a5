"""Whom alerts are told: does anybody understand the addresses?"""

from collections.abc import Iterator

from tracklake import notifying
from tracklake.alerts import alerting
from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding

_SUBJECT = "notifications"


def examine(folders: Folders, settings: Settings | None) -> Iterator[Finding]:  # noqa: ARG001 as all
    """Look at the addresses without sending anything."""
    if settings is None:
        return
    urls = alerting.addresses(settings)
    if not urls:
        said = f"{notifying.SETTING} is not set: alerts are in `tracklake status` only"
        yield Finding(_SUBJECT, True, said)
        return
    problem = notifying.misunderstood(urls)
    advice = "docs/operations.md (Alerts) has examples; `tracklake alerts --test` sends a message"
    if problem:
        yield Finding(_SUBJECT, False, problem, advice)
    else:
        count = f"{len(urls)} address{'es' if len(urls) > 1 else ''}"
        yield Finding(_SUBJECT, True, f"{count} understood; `tracklake alerts --test` tries")
