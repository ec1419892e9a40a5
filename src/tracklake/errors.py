"""What can go wrong, sorted by who reacts differently; nothing else deserves a class.

Error
├── ConfigError    the person must change a setting or a command           exit code 2
├── AuthError      a source needs a new login; the other sources go on     exit code 3
├── SourceError    a source could not be read
│   ├── Transient      worth another try
│   └── BudgetSpent    parked until the upstream's quota is fresh           exit code 0
├── InvalidData    one item is set aside (quarantine); the rest goes on
├── StorageError   the disk failed or is full; the run stops               exit code 1
├── CheckFailed    gold did not pass its checks; yesterday's stays         exit code 4
├── Busy           another flow holds the lock                             exit code 75
└── Interrupted    SIGINT or SIGTERM; all that was landed stays            exit code 130 or 143
"""

import datetime as dt


class Error(Exception):
    """Anything Tracklake reports in one sentence instead of a traceback."""

    exit_code = 1


class ConfigError(Error):
    """A setting, a path or an argument that the person has to change."""

    exit_code = 2


class AuthError(Error):
    """A source that needs a new login; `error_class`: as error_classes.py has them."""

    exit_code = 3

    def __init__(self, message: str, *, error_class: str = "authentication_error") -> None:
        super().__init__(message)
        self.error_class = error_class


class SourceError(Error):
    """A source that could not be read; `error_class`: as error_classes.py has them."""

    def __init__(self, message: str, *, error_class: str = "temporary_api_error") -> None:
        super().__init__(message)
        self.error_class = error_class


class Transient(SourceError):
    """A failure that another try may cure; `is_page`: a page for people came, with 200."""

    is_page = False


class BudgetSpent(SourceError):
    """The upstream's quota is used up; the work is parked until `until` (UTC, aware)."""

    exit_code = 0

    def __init__(
        self, message: str, *, until: dt.datetime, error_class: str = "quota_exceeded"
    ) -> None:
        super().__init__(message, error_class=error_class)
        self.until = until


class InvalidData(Error):
    """One item that cannot be understood; `reason` is a short stable class for grouping."""

    def __init__(self, message: str, *, reason: str = "invalid_data") -> None:
        super().__init__(message)
        self.reason = reason


class StorageError(Error):
    """The disk is full, read-only or failing."""


class CheckFailed(Error):
    """Gold contradicts itself; it is not published."""

    exit_code = 4


class Busy(Error):
    """Another flow holds the lock."""

    exit_code = 75


class Interrupted(Error):
    """The person or the system asked to stop; `signal_number` says how."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted; what was landed stays, run the same command again to go on")
        self.exit_code = 128 + signal_number
