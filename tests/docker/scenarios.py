"""What may happen to a scheduler around five o'clock; each asserts what must come of it.

They take their time, nearly all of it waiting, so test_schedule.py runs several at once.
"""

import datetime as dt
import fcntl
import re
import time
from collections.abc import Callable

from tests.docker import checks, engine, zones
from tests.docker.place import Place, own_tree
from tests.docker.waiting import utc_now, wait_for, wait_until

FAST_CHECK = {"interval": "1s", "start_period": "1s", "retries": 2}
# To five o'clock: what starting a container may take on a machine that is busy with other tests.
_AHEAD_S = 25
_AHEAD_OF_STOP_S = 60  # the same, to be well and to be stopped
_STOPPED_WITHIN_S = 8.0
_SLOW = {"kind": "Late", "arguments": {"seconds": 40}, "path": "/athlete/activities"}


def health(place: Place) -> str:
    """Return what the engine thinks of the scheduler: starting, healthy, unhealthy."""
    return place.inspected("scheduler", "{{.State.Health.Status}}")


def _up(place: Place) -> None:
    done = place.dc("up", "-d", "scheduler")
    assert done.returncode == 0, done.stderr


def _ends(place: Place) -> int:
    """Return how many of its flows the scheduler saw end, whatever came of them."""
    return len(re.findall(r"` ended after", place.said("scheduler")))


def _await_end(place: Place) -> None:
    wait_for(lambda: _ends(place), "the end of the flow", timeout_s=_AHEAD_S + 90)


def _let_pass(seconds: float) -> None:
    wait_until(utc_now() + dt.timedelta(seconds=seconds))


def _prepared(place: Place) -> None:
    """Make the container, so that its start takes no time; there are two activities to find."""
    place.put_activities(range(2))
    place.override({"scheduler": {**place.clock(), "healthcheck": FAST_CHECK}})
    assert place.dc("create", "scheduler").returncode == 0


def fires(place: Place, zone: str = zones.PLAIN) -> None:
    """At 05:00 one flow; what it wrote is the person's, and the log says for which slot it was."""
    place.put_activities(range(2))
    assert checks.fires_at_five(place, _AHEAD_S, zone) == []
    _await_end(place)
    assert place.activities() == 2
    assert checks.owned_by_the_person(place) == []
    log = (place.folder / "logs" / "scheduler" / "cron.log").read_text(encoding="utf-8")
    assert "05:00" in log


def fires_in_spring(place: Place) -> None:
    """The same where daylight saving begins 5 s before."""
    fires(place, zones.SPRING)


def missed_while_down(place: Place) -> None:
    """Up, down before 05:00, up again after it: one flow at once."""
    _prepared(place)
    due = place.five_in(_AHEAD_OF_STOP_S)
    _up(place)
    wait_for(lambda: health(place) == "healthy", "a healthy scheduler", timeout_s=60)
    assert place.dc("stop", "scheduler").returncode == 0
    assert utc_now() < due, "the machine is too slow for this test"
    wait_until(due + dt.timedelta(seconds=1))
    assert place.flows() == []
    _up(place)
    _await_end(place)
    _let_pass(3)
    assert len(place.flows()) == 1


def missed_while_suspended(place: Place) -> None:
    """Frozen before 05:00, as by a laptop's lid, and thawed after it: one flow at once."""
    _prepared(place)
    due = place.five_in(_AHEAD_OF_STOP_S)
    _up(place)
    wait_for(lambda: health(place) == "healthy", "a healthy scheduler", timeout_s=60)
    engine.docker("pause", place.container("scheduler"))
    assert utc_now() < due, "the machine is too slow for this test"
    wait_until(due + dt.timedelta(seconds=2))
    assert place.flows() == []
    engine.docker("unpause", place.container("scheduler"))
    _await_end(place)
    assert len(place.flows()) == 1
    assert health(place) == "healthy"


def finds_the_lock_taken(place: Place) -> None:
    """A process of the host holds the lock at 05:00: it says so, and tries again later."""
    _prepared(place)
    state = place.folder / "data" / "state"
    state.mkdir(exist_ok=True)
    with (state / "flow.lock").open("a") as lock:
        own_tree(state)
        fcntl.flock(lock, fcntl.LOCK_EX)
        place.five_in(_AHEAD_S)
        _up(place)
        _await_end(place)
    said = place.said("scheduler")
    assert "exit code 75" in said
    assert "tried again at" in said
    assert health(place) != "unhealthy"


def _stop(place: Place) -> None:
    started = time.monotonic()
    engine.docker("stop", "-t", "30", place.container("scheduler"))
    assert time.monotonic() - started < _STOPPED_WITHIN_S
    assert place.inspected("scheduler", "{{.State.ExitCode}}") == "0"


def _kill(place: Place) -> None:
    engine.docker("kill", place.container("scheduler"))


def _cut_off(place: Place, end: Callable[[Place], None]) -> None:
    """Cut off in mid-flow: the lock is free, the next start runs the slot, once and not again.

    While the flow was at work, a job and a process of the host found the lock held.
    """
    place.override({"strava": place.simulator(3), "scheduler": place.clock()})
    place.start_simulator()
    assert place.dc("create", "scheduler").returncode == 0
    place.control("fault", **_SLOW, times=1)
    place.five_in(_AHEAD_S)
    _up(place)
    wait_for(lambda: _is_listing(place), "the flow's first call", timeout_s=_AHEAD_S + 60)
    lock = place.folder / "data" / "state" / "flow.lock"
    assert not checks.is_free(lock)
    busy = place.job("compact")
    assert busy.returncode == 75, busy.stderr
    assert "another flow" in busy.stderr
    end(place)
    wait_for(lambda: checks.is_free(lock), "the lock", timeout_s=15)
    before, ends = len(place.flows()), _ends(place)
    _up(place)
    wait_for(lambda: _ends(place) > ends, "the slot's second try", timeout_s=120)
    assert place.activities() == len(place.control("visible"))
    assert place.dc("restart", "scheduler").returncode == 0
    _let_pass(4)
    assert len(place.flows()) == before + 1


def _is_listing(place: Place) -> bool:
    return any("/athlete/activities" in call["line"] for call in place.control("calls"))


def stopped_in_mid_flow(place: Place) -> None:
    """SIGTERM ends it within 8 s with code 0; the slot is caught up, once."""
    _cut_off(place, _stop)


def killed_in_mid_flow(place: Place) -> None:
    """`docker kill` ends it; the slot is caught up, once."""
    _cut_off(place, _kill)


def meets_a_bad_line(place: Place) -> None:
    """A line spoilt while it runs: unhealthy; at start: a sentence and code 2. Never silence."""
    place.override({"scheduler": {"healthcheck": FAST_CHECK, "restart": "no"}})
    _up(place)
    wait_for(lambda: health(place) == "healthy", "a healthy scheduler", timeout_s=60)
    crontab = "cron/tracklake.cron"
    good = (place.folder / crontab).read_text(encoding="utf-8")
    bad = good.replace("\n0 5 * * *", "\n99 5 * * *")
    assert bad != good
    place.put(crontab, bad)
    wait_for(lambda: health(place) == "unhealthy", "an unhealthy scheduler", timeout_s=40)
    assert place.dc("restart", "scheduler").returncode == 0
    ended = "{{.State.Status}} {{.State.ExitCode}}"
    wait_for(
        lambda: place.inspected("scheduler", ended) == "exited 2",
        "its end with code 2",
        timeout_s=60,
    )
    last = place.said("scheduler").splitlines()[-1]
    assert "tracklake.cron, line " in last
    assert "Traceback" not in place.said("scheduler")
