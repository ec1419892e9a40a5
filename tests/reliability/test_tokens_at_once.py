"""Logins that many renew at once, workers that are killed meanwhile: none is lost, none torn."""

import contextlib
import dataclasses
import os
import random
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests import test_tokens
from tests.reliability.race_killer import Puller, puller
from tests.sources.strava_place import LISTING, strava_grant
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import ShiftedClock
from tests.upstream.faults import Fault
from tests.upstream.quota import Limits
from tests.upstream.strava import StravaUpstream
from tests.upstream.wire import Wire
from tracklake.tokens.file import Token, alone, keep, read, room

IS_WHOLE = "RACES_EXAMPLES" in os.environ  # noqa: TID251 of tests only; `make races` sets it
PROCESSES = 8
EXPIRIES = 200  # of each process
STRICT_EXPIRIES = EXPIRIES if IS_WHOLE else 25  # who revokes a family is strict, too
KILLS = 200  # of each kind
STARTED_KILLS = KILLS if IS_WHOLE else 2  # test_tokens.py has more of them in CI
SLOW_S = 0.02
PLENTY = Limits(10**6, 10**6, 10**6, 10**6)


class Linger(Fault):
    """Rotate, and answer only a while later."""

    def __init__(self) -> None:
        self.rotated = threading.Event()
        self.at_it = 0
        self._never = threading.Event()

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:  # noqa: ARG002 as is prescribed
        """Wait, and leave the rest to others."""
        self.at_it += 1
        self.rotated.set()
        self._never.wait(SLOW_S)
        self.at_it -= 1
        return False


@contextlib.contextmanager
def rotating(path: Path, *, revoke_family: bool) -> Iterator[StravaUpstream]:
    """Start a service whose access tokens have to be renewed at once, with a login at `path`."""
    clock = ShiftedClock()
    with StravaUpstream(clock=clock, revoke_family=revoke_family, limits=PLENTY) as upstream:
        upstream.tokens.lifetime_s = 200  # less than is granted a token before it is renewed
        first = Token(
            access_token="none yet",  # noqa: S106 it opens nothing
            refresh_token=upstream.tokens.refresh_token,
            expires_at=1,
        )
        with alone(path), room(path) as temporary:
            keep(first, temporary, path)
        yield upstream


def order(path: Path, upstream: StravaUpstream, count: int, processes: int = 1) -> dict[str, Any]:
    """Return what workers are told."""
    return {
        "path": str(path),
        "grant": dataclasses.asdict(strava_grant(upstream)),
        "api": f"{upstream.api_url}{LISTING}",
        "count": count,
        "processes": processes,
    }


@contextlib.contextmanager
def watched(path: Path) -> Iterator[None]:
    """Look at the folder all the while: closed to others, the login whole at every instant."""
    done, wrong = threading.Event(), list[str]()
    watcher = threading.Thread(target=watch, args=(path, done, wrong))
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    assert wrong == []


def watch(path: Path, done: threading.Event, wrong: list[str]) -> None:
    """Note what is open to others or torn, until done."""
    looks = 0
    while not done.wait(0.002):
        looks += 1
        if stat.S_IMODE(path.parent.stat().st_mode) != 0o700:
            wrong.append("the folder is open to others")
        for each in path.parent.iterdir():
            with contextlib.suppress(FileNotFoundError):  # a temporary name
                if stat.S_IMODE(each.stat().st_mode) != 0o600:
                    wrong.append(f"{each.name} is open to others")
        if not orjson.loads(path.read_bytes())["refresh_token"]:
            wrong.append("the login is torn")
    if not looks:
        wrong.append("nobody looked")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the login lies."""
    return tmp_path / "secrets" / "strava_token.json"


@pytest.mark.parametrize(
    ("revoke_family", "expiries"),
    [(False, STRICT_EXPIRIES), (True, EXPIRIES)],
    ids=["strict", "family-revoking"],
)
def test_eight_processes_renew_one_login(path: Path, revoke_family: bool, expiries: int) -> None:
    """Every refresh token is used exactly once, though each call of each process needs one."""
    with (
        rotating(path, revoke_family=revoke_family) as upstream,
        puller("tests.reliability.race_tokens", "work") as started,
        watched(path),
    ):
        assert started.do(order(path, upstream, expiries, PROCESSES)) == 0
        assert upstream.tokens.invalid_grants == 0
        assert upstream.tokens.refreshes == PROCESSES * expiries
        assert [one.status for one in upstream.calls_to(LISTING)] == [200] * PROCESSES * expiries


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_two_hundred_kills_of_the_worker_lose_no_login(
    path: Path, with_signal: signal.Signals
) -> None:
    """One login outlives them all, at a service that revokes everything at the first mistake."""
    with (
        rotating(path, revoke_family=True) as upstream,
        puller("tests.reliability.race_tokens", "work_alone") as started,
        watched(path),
    ):
        linger = Linger()
        upstream.script.add(linger, path="/oauth/token")
        wanted = order(path, upstream, 1000)
        at_it = sum(killed(started, wanted, linger, number, with_signal) for number in range(KILLS))
        upstream.script.clear()
        assert started.do(order(path, upstream, 1)) == 0
        with alone(path):
            kept = read(path)
        assert kept is not None
        assert kept.refresh_token == upstream.tokens.refresh_token
        assert upstream.tokens.invalid_grants == 0
        assert at_it >= KILLS // 3, "too few kills hit a refresh: this run proves little"


def killed(
    started: Puller,
    wanted: dict[str, Any],
    linger: Linger,
    number: int,
    with_signal: signal.Signals,
) -> bool:
    """Kill a worker's group at a random instant; tell whether the service had rotated by then.

    Every other time the instant is after the service has rotated the token and before it answers.
    """
    dice, never = random.Random(number), threading.Event()  # noqa: S311 repeatable on purpose
    linger.rotated.clear()
    pid = started.begin(wanted)
    if number % 2:
        assert linger.rotated.wait(30)
    never.wait(dice.uniform(0, SLOW_S if number % 2 else 3 * SLOW_S))
    was_at_it = linger.at_it > 0
    os.killpg(pid, with_signal)
    assert started.end() == -with_signal
    return was_at_it


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_the_same_with_refreshers_that_are_started(
    tmp_path: Path, with_signal: signal.Signals
) -> None:
    """Workers whose refresher is a program of its own lose no login either."""
    kills = range(STARTED_KILLS)
    at_it = sum(test_tokens.kill(tmp_path, number, with_signal) for number in kills)
    assert at_it >= STARTED_KILLS // 4
