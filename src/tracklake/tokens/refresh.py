"""The refresh itself: under the lock, only if still needed, on disk before anybody is told."""

from pathlib import Path

from tracklake.client import Answer, Ask, Client
from tracklake.errors import Transient
from tracklake.tokens.file import Token, alone, keep, read, room, token_from
from tracklake.tokens.job import Grant, Job, Refusal, candidates, serves

_TRIES = 3  # a lost answer is asked for again with the old token: there is no other
_TRY_S = 20.0  # three of them end before whoever waits for the lock gives up
_SAID_BYTES = 4096


def refresh(job: Job, client: Client) -> Token | Refusal:
    """Return the token that serves the job, made or found; it is on disk then.

    Raises AuthError, SourceError (Transient where another try may help) and OSError.
    """
    path = Path(job.path)
    with alone(path):
        saved = read(path)
        if saved and serves(saved, job):
            return saved
        refusal = Refusal(status=0, body="")
        with room(path) as temporary:
            for kept in candidates(saved, job):
                answer = _asked(job.grant, kept.refresh_token, client)
                if answer.status < 300:
                    token = token_from(answer.json(), now_s=job.now_s, kept=kept)
                    token = token.renewed_after(job.grant.renew_share, job.now_s)
                    keep(token, temporary, path)
                    return _usable(token, job)
                said = answer.body[:_SAID_BYTES].decode(errors="replace")
                refusal = Refusal(status=answer.status, body=said)
    return refusal


def _asked(grant: Grant, refresh_token: str, client: Client) -> Answer:
    form = {
        "client_id": grant.client_id,
        "client_secret": grant.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
    }
    ask = Ask(method="POST", url=grant.token_url, form=form, tries=_TRIES, deadline_s=_TRY_S)
    answer = client.send(ask)
    if answer.status == 429:
        raise Transient(f"{grant.source} wants no more requests for now, not even for a login")
    return answer


def _usable(token: Token, job: Job) -> Token:
    if token.expires_at <= job.now_s:
        raise Transient(
            f"{job.grant.source} answered a refresh with an access token that has already ended; "
            "is this machine's clock right?"
        )
    return token
