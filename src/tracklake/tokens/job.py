"""What a refresh is asked to do: when it is needed, and what it can start from."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tracklake.errors import AuthError
from tracklake.identity import bytes_hash
from tracklake.tokens.file import Token

MARGIN_S = 300  # an access token is handed out if it lives this much longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where and as whom a source's logins are refreshed, and how it is spoken of.

    `seed` is a refresh token from the settings; `advice` tells how to log in, after a colon.
    `renew_share`: after which share of its life an access token is renewed (1: at its end), where
    the refresh token ends with it.
    """

    source: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    seed: str | None = field(default=None, repr=False)
    advice: str
    renew_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One refresh, asked for at `now_s` (UNIX s); `rejected` is what the API did not accept."""

    path: str
    grant: Grant
    now_s: float
    rejected: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The server's answer to a refresh that it does not grant."""

    status: int
    body: str


def job_from(data: bytes) -> Job:
    """Read a job's JSON; raise JSONDecodeError if it is not whole."""
    fields = orjson.loads(data)
    return Job(**{**fields, "grant": Grant(**fields["grant"])})


def serves(saved: Token, job: Job) -> bool:
    """Tell whether what is saved makes the job needless."""
    return lives(saved, job) and not 0 < saved.renew_at <= job.now_s


def lives(saved: Token, job: Job) -> bool:
    """Tell whether what is saved can be used, though it may be time to renew it."""
    return (
        saved.expires_at >= job.now_s + MARGIN_S
        and saved.access_token != job.rejected
        and not _is_news(job.grant.seed, saved)
    )


def candidates(saved: Token | None, job: Job) -> list[Token]:
    """Return what a refresh can start from, best first: a token newly set, else the saved one.

    Raises AuthError where there is nothing.
    """
    grant, found = job.grant, []
    if grant.seed and (saved is None or _is_news(grant.seed, saved)):
        found.append(
            Token(
                access_token="",
                refresh_token=grant.seed,
                expires_at=0,
                seed=seed_hash(grant.seed),
            )
        )
    if saved:  # should the new one be refused, the file will know that
        found.append(dataclasses.replace(saved, seed=seed_hash(grant.seed) or saved.seed))
    if not found and Path(job.path).exists():
        raise AuthError(
            f"the saved login {job.path} is damaged: {grant.advice}, which writes it anew"
        )
    if not found:
        raise AuthError(f"there is no {grant.source} login yet ({job.path}): {grant.advice}")
    return found


def seed_hash(seed: str | None) -> str | None:
    """Hash a refresh token of the settings, so that the file can tell a new one."""
    return bytes_hash(seed.encode()) if seed else None


def _is_news(seed: str | None, saved: Token) -> bool:
    return bool(seed) and saved.seed != seed_hash(seed) and saved.refresh_token != seed
