"""A login as the rest of the program sees it: an access token, renewed when need be."""

import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from tracklake.clock import Clock
from tracklake.errors import AuthError, Error, SourceError, StorageError, Transient
from tracklake.tokens.file import Token, alone, keep, read, room
from tracklake.tokens.job import Grant, Job, Refusal, candidates, lives, seed_hash, serves

_ANSWER_WAIT_S = 300.0  # the refresher bounds itself; this is for one that is frozen
_STOP_WAIT_S = 6.0  # what a worker that is told to stop grants the refresher; `docker stop` has 10


class TokenStore:
    """One athlete's login at one source, shared by processes and containers.

    `explain` says what a refusal (status, body) means. Everything here may raise AuthError (log
    in again), SourceError (Transient: try later) and StorageError.
    """

    def __init__(
        self, path: Path, *, grant: Grant, clock: Clock, explain: Callable[[int, bytes], AuthError]
    ) -> None:
        self.path = path
        self._grant = grant
        self._clock = clock
        self._explain = explain
        self.not_renewed: Error | None = None  # why a token that still lives could not be renewed

    @property
    def scope(self) -> str | None:
        """The scopes granted at the login, joined by commas; None where that is not known."""
        saved = self._saved()
        return saved.scope if saved else None

    def access_token(self) -> str:
        """Return an access token that is good for five more minutes; refresh it if need be."""
        return self._current(None)

    def renew(self, rejected: str) -> str:
        """Return another access token than the one the API rejected, if it can be had.

        The server may give the same one again; if the API then rejects it again, it means it.
        """
        return self._current(rejected)

    def save(self, token: Token) -> None:
        """Keep the token of a new login; it is on disk when this returns."""
        try:
            with alone(self.path), room(self.path) as temporary:
                new = dataclasses.replace(token, seed=seed_hash(self._grant.seed))
                new = new.renewed_after(self._grant.renew_share, self._clock.now().timestamp())
                keep(new, temporary, self.path)
        except OSError as error:
            raise StorageError(f"the login {self.path} cannot be kept ({error})") from error

    def _saved(self) -> Token | None:
        try:
            return read(self.path)
        except OSError as error:
            raise StorageError(f"the login {self.path} cannot be read ({error})") from error

    def _current(self, rejected: str | None) -> str:
        now_s = self._clock.now().timestamp()
        job = Job(path=str(self.path), grant=self._grant, now_s=now_s, rejected=rejected)
        saved = self._saved()
        if saved and serves(saved, job):
            return saved.access_token
        if saved and lives(saved, job):
            return self._renewed_early(saved, job)
        return self._renewed(saved, job)

    def _renewed_early(self, saved: Token, job: Job) -> str:
        """Renew a token that still lives; where that fails it serves on, and a later run tries."""
        if self.not_renewed is None:
            try:
                return self._renewed(saved, job)
            except (AuthError, SourceError) as error:
                self.not_renewed = error
        return saved.access_token

    def _renewed(self, saved: Token | None, job: Job) -> str:
        candidates(saved, job)  # if there is nothing to start from, this says so
        result = _result(_refresher_says(job))
        if isinstance(result, Refusal):
            raise self._explain(result.status, result.body.encode())
        return result.access_token


def _refresher_says(job: Job) -> bytes:
    """Have a refresh done by a process that outlives this one; return what it says."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "tracklake.tokens"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a signal to our group is not for it
    )
    try:
        said, complaint = child.communicate(orjson.dumps(job), timeout=_ANSWER_WAIT_S)
    except subprocess.TimeoutExpired:
        raise Transient(f"the refresh of the {job.grant.source} login does not end") from None
    except BaseException:  # a signal: where we are a container's first process, it dies with us
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_WAIT_S)
        raise
    return said or orjson.dumps({"message": _last_line(complaint)})


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").split("\n")
    return f"the refresh of a login ended without a word: {' '.join(lines[-2:]).strip()}"


def _result(said: bytes) -> Token | Refusal:
    outcome = orjson.loads(said)
    if "token" in outcome:
        return Token(**outcome["token"])
    if "refusal" in outcome:
        return Refusal(**outcome["refusal"])
    kinds: dict[str, type[Error]] = {
        kind.__name__: kind for kind in (AuthError, StorageError, SourceError)
    }
    raise kinds.get(outcome.get("error", ""), Transient)(outcome["message"])
