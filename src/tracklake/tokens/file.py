"""A login on disk: whole and closed to others at every instant, one writer at a time."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import orjson

from tracklake import landing, redaction
from tracklake.errors import Transient

_LOCK_WAIT_S = 90.0
_ROOM_BYTES = 4096
_UNTOLD_LIFE_S = 3600.0  # of a token that does not say when it ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A login: what the API wants, what renews it, until when (UNIX s), for which scopes.

    `seed` is the hash of that refresh token in the settings which the file knows of; `renew_at`:
    from when on it is to be renewed though it has not ended (UNIX s; 0: not before its end).
    """

    token_type: str = "Bearer"  # noqa: S105 a word of the protocol
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    scope: str | None = None
    seed: str | None = None
    renew_at: int = 0

    def __post_init__(self) -> None:
        redaction.learn(self.access_token, self.refresh_token)

    def renewed_after(self, share: float, now_s: float) -> "Token":
        """Return it with the moment at which that share (0 to 1) of the life it has left is over.

        A share of 1 is its end.
        """
        left_s = self.expires_at - now_s
        due_s = int(now_s + share * left_s) if share < 1 and left_s > 0 else 0
        return dataclasses.replace(self, renew_at=due_s)


def path_of(secrets: Path, source: str, athlete: str, default_athlete: str) -> Path:
    """Name the file of an athlete's login; all but the default athlete have a folder for it."""
    folder = secrets if athlete == default_athlete else secrets / athlete
    return folder / f"{source}_token.json"


def token_from(answer: object, *, now_s: float, kept: Token | None = None) -> Token:
    """Read a token endpoint's answer; what it does not say stays as it was.

    An answer without an access token gives one that has ended, so that what did come is kept.
    """
    fields = answer if isinstance(answer, dict) else {}
    access, refresh_token, scope = (
        value if isinstance(value := fields.get(name), str) and value else None
        for name in ("access_token", "refresh_token", "scope")
    )
    return Token(
        access_token=access or "",
        refresh_token=refresh_token or (kept.refresh_token if kept else ""),
        expires_at=_expiry(fields, now_s) if access else 0,
        scope=scope or (kept.scope if kept else None),
        seed=kept.seed if kept else None,
    )


def _expiry(fields: dict[str, object], now_s: float) -> int:
    for name, since_s in (("expires_at", 0.0), ("expires_in", now_s)):
        value = fields.get(name)
        with contextlib.suppress(ValueError, OverflowError):
            if isinstance(value, int | float | str):  # some services send numbers as text
                return int(since_s + float(value))
    return int(now_s + _UNTOLD_LIFE_S)


def read(path: Path) -> Token | None:
    """Read a token file, closing it to others if need be; None if there is none that is whole."""
    try:
        if path.stat().st_mode & 0o077:
            with contextlib.suppress(PermissionError):  # not ours to close
                path.chmod(0o600)
        fields = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    token = token_from(fields, now_s=0)
    if not token.refresh_token:
        return None
    renew_at = fields.get("renew_at")
    due_s = renew_at if isinstance(renew_at, int) else 0
    return dataclasses.replace(token, seed=fields.get("seed"), renew_at=due_s)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of a token file, in a folder that is closed to others; raise Transient."""
    _make_private(path.parent)
    lock = filelock.FileLock(path.with_name(f".{path.stem}.lock"), mode=0o600)
    try:
        lock.acquire(timeout=_LOCK_WAIT_S)
    except filelock.Timeout:
        raise Transient(
            f"another process has been busy with the login {path} for {_LOCK_WAIT_S:g} s"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _make_private(folder: Path) -> None:
    for each in reversed([folder, *folder.parents]):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)
            landing.fsync_folder(each.parent)
    with contextlib.suppress(PermissionError):  # not ours to close
        folder.chmod(0o700)


@contextlib.contextmanager
def room(path: Path) -> Iterator[Path]:
    """Make the file for a token before the token is asked for: then the disk cannot refuse it."""
    temporary = path.with_name(f".{path.name}.new")  # one name: what a kill leaves goes next time
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b" " * _ROOM_BYTES)
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def keep(token: Token, temporary: Path, path: Path) -> None:
    """Fill the room and give it its name; the token is durable when this returns."""
    fields = dataclasses.asdict(token)
    if not token.renew_at:
        del fields["renew_at"]
    data = orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    with temporary.open("r+b") as file:
        file.write(data)
        file.truncate()
    landing.adopt(temporary, path)
