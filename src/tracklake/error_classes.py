"""The class of an error, for grouping in logs, sessions and the quarantine.

The words are stable; who reads logs relies on them: network_error, temporary_api_error, rate_limit,
quota_exceeded, authentication_error, permission_denied, not_found, invalid_data, storage_error,
memory_limit, timeout, unknown_error; and of what is not about data: configuration_error,
check_failed, interrupted.
"""

from tracklake.errors import (
    AuthError,
    Busy,
    CheckFailed,
    ConfigError,
    Interrupted,
    InvalidData,
    SourceError,
    StorageError,
)

_OF_REASONS = {  # of one item; any other is invalid_data
    "timeout": "timeout",
    "memory": "memory_limit",
    "memory_limit": "memory_limit",
    "decoder_killed": "memory_limit",
    "no_file": "temporary_api_error",  # a page, or an error, where a file was due
    "no_answer": "temporary_api_error",
    "not_answered": "temporary_api_error",
    "unreachable": "temporary_api_error",
    "unreadable": "storage_error",
    "damaged_original": "storage_error",
    "damaged_page": "storage_error",
    "unforeseen": "unknown_error",
    "not_found": "not_found",
    "permission_denied": "permission_denied",
}
_CLASSES: tuple[tuple[type[BaseException], str], ...] = (  # the first that fits
    (InvalidData, "invalid_data"),
    (StorageError, "storage_error"),
    (Busy, "storage_error"),
    (ConfigError, "configuration_error"),
    (CheckFailed, "check_failed"),
    (Interrupted, "interrupted"),
    (MemoryError, "memory_limit"),
)


def of(error: BaseException) -> str:
    """Return the class of an error; one that nobody thought of is an unknown_error."""
    if isinstance(error, InvalidData):
        return of_reason(error.reason)
    if isinstance(error, SourceError) and isinstance(error.__cause__, SourceError | InvalidData):
        return of(error.__cause__)  # it only says of which source
    if isinstance(error, SourceError | AuthError):
        return error.error_class
    return next((name for kind, name in _CLASSES if isinstance(error, kind)), "unknown_error")


def said(error: BaseException) -> dict[str, str]:
    """Return what a log line says of an error."""
    return {"error_class": of(error), "error": str(error)}


def of_reason(reason: str) -> str:
    """Return the class of what an item is set aside for."""
    return _OF_REASONS.get(reason, "invalid_data")
