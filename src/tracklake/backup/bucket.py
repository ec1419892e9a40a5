"""Backups in a bucket of any S3-compatible service; obstore reads the usual AWS_… variables.

Objects are small (a piece of a file), so each goes up in one request and is there whole or not at
all: a kill leaves no half upload that somebody would have to look for. A request blocks until the
service answers, so requests run in threads that nobody has to wait for: a signal ends the command
at once. (obstore's own event loop is no way out: its threads abort a process that ends.)
"""

import contextlib
import datetime as dt
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import obstore
from obstore import exceptions
from obstore.store import S3Store

from tracklake.backup import stores
from tracklake.backup.stores import Item
from tracklake.errors import ConfigError, Error, StorageError

_AT_ONCE = 8
_TIMEOUT_S = 120.0
_CONNECT_TIMEOUT_S = 10.0
_RETRY_S = 45.0
_TRIES = 4
_LAST_WORD_S = 2.0  # for requests at work when we are asked to stop
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,62})(?:/(.*))?")
_REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken")
_MISSING = (FileNotFoundError, exceptions.NotFoundError)
_PASSED_BY = (exceptions.PreconditionError, exceptions.AlreadyExistsError)
_Got = TypeVar("_Got")


class BucketStore:
    """A prefix of a bucket; an object's name is its key below it."""

    def __init__(self, store: S3Store, where: str) -> None:
        self._store = store
        self.where = where

    @classmethod
    def of(cls, url: str) -> "BucketStore":
        """Open s3://bucket/prefix; raise ConfigError if it is none, or the AWS_… settings are."""
        found = _URL.fullmatch(url)
        if found is None:
            raise ConfigError(f"TRACKLAKE_BACKUP_URL: {url} is not s3://bucket/prefix")
        seconds = dt.timedelta
        try:
            store = S3Store(
                found[1],
                prefix=(found[2] or "").strip("/") or None,
                client_options={
                    "allow_http": True,  # an endpoint in one's own network
                    "timeout": seconds(seconds=_TIMEOUT_S),
                    "connect_timeout": seconds(seconds=_CONNECT_TIMEOUT_S),
                },
                retry_config={
                    "max_retries": _TRIES - 1,
                    "retry_timeout": seconds(seconds=_RETRY_S),
                },
            )
        except exceptions.BaseError as error:
            raise ConfigError(f"the AWS_… settings for {url}: {_first_line(error)}") from error
        return cls(store, url)

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Keep objects, some at once."""

        def one(name: str) -> None:
            obstore.put(self._store, name, objects[name], use_multipart=False)

        self._each(list(objects), one)

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return objects in the order of their names, None for what is not there."""

        def one(name: str) -> bytes | None:
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except _MISSING as error:
                if "NoSuchBucket" in str(error):
                    raise
                return None

        return self._each(names, one)

    def items(self, prefix: str) -> Iterator[Item]:
        """List what is there below a prefix."""

        def collect(_: str) -> list[Item]:
            return [
                Item(one["path"], one["size"], one["last_modified"].astimezone(dt.UTC))
                for one in obstore.list(self._store, prefix).collect()
            ]

        yield from self._each([prefix], collect)[0]

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; what is not there is no error."""

        def one(name: str) -> None:
            with contextlib.suppress(*_MISSING):
                obstore.delete(self._store, name)

        self._each(names, one)

    def point(self, name: str, data: bytes, before: bytes | None) -> None:
        """Replace a small object, on condition that it is still the one that was there."""

        def swap(_: str) -> None:
            now, tag = self._tagged(name)
            if now != before:
                raise stores.moved(self.where)
            mode: Any = {"e_tag": tag} if tag else "create"
            try:
                obstore.put(self._store, name, data, mode=mode, use_multipart=False)
            except _PASSED_BY:  # by ourselves, if the first answer got lost and it was sent again
                if self._tagged(name)[0] != data:
                    raise stores.moved(self.where) from None

        self._each([name], swap)

    def _tagged(self, name: str) -> tuple[bytes | None, str | None]:
        try:
            found = obstore.get(self._store, name)
        except _MISSING as error:
            if "NoSuchBucket" in str(error):
                raise
            return None, None
        return bytes(found.bytes()), found.meta["e_tag"]

    def sweep(self) -> int:
        """Nothing is ever half done in a bucket."""
        return 0

    def _each(self, names: Sequence[str], act: Callable[[str], _Got]) -> list[_Got]:
        """Ask about each name, some at once; the first failure is said plainly."""
        try:
            return _at_once(names, act)
        except (exceptions.BaseError, OSError) as error:  # obstore makes some of them OSErrors
            raise _plainly(error, self.where) from error


def _at_once(names: Sequence[str], act: Callable[[str], _Got]) -> list[_Got]:
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, _Got | None, Exception | None]] = queue.SimpleQueue()
    stopped = threading.Event()
    for name in names:
        waiting.put(name)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while not stopped.is_set():
                name = waiting.get_nowait()
                try:
                    done.put((name, act(name), None))
                except Exception as error:  # noqa: BLE001 raised again where the answers are read
                    done.put((name, None, error))
        done.put(("", None, None))

    threads = [threading.Thread(target=work, daemon=True) for _ in names[:_AT_ONCE]]
    for thread in threads:
        thread.start()
    return _gathered(names, done, len(threads), stopped)


def _gathered(
    names: Sequence[str],
    done: "queue.SimpleQueue[tuple[str, _Got | None, Exception | None]]",
    working: int,
    stopped: threading.Event,
) -> list[_Got]:
    """Wait for all threads; after a failure, or a signal, only for the requests at work."""
    found: dict[str, Any] = {}
    failures: list[Exception] = []
    try:
        while working:
            name, answer, error = done.get()
            if name:
                found[name] = answer
            else:
                working -= 1
            if error is not None:
                failures.append(error)
                stopped.set()
    except BaseException:  # a signal; a thread that comes back while Python ends would abort it
        stopped.set()
        with contextlib.suppress(queue.Empty):
            while working:
                working -= not done.get(timeout=_LAST_WORD_S)[0]
        raise
    if failures:
        raise failures[0]
    return [found[name] for name in names]


def _plainly(error: Exception, where: str) -> Error:
    """Say what a service's answer means and which setting to look at."""
    said = str(error)
    if "NoSuchBucket" in said:
        return ConfigError(
            f"TRACKLAKE_BACKUP_URL: there is no bucket for {where}; make it, or mend the name"
        )
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError) or any(
        word in said for word in _REFUSED
    ):
        return ConfigError(
            f"{where} refuses the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_REGION, and that they may list, read, write and delete there"
        )
    return StorageError(
        f"{where} does not answer as it should; check AWS_ENDPOINT_URL, the AWS_… credentials and "
        f"the network: {_first_line(error)}"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
