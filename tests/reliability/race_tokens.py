"""Processes that need a login renewed, each refresh in a fork that outlives them.

A refresh is what the program makes of it (`tracklake.tokens.__main__`: job in, outcome out, in a
session of its own); only that it is forked is not, for to start it takes a third of a second.
"""

import contextlib
import dataclasses
import os
import sys
from pathlib import Path

import orjson

from tests.reliability.race_killer import Order, forked
from tracklake.client import Ask, Client
from tracklake.clock import SystemClock
from tracklake.tokens.__main__ import main as be_refresher
from tracklake.tokens.file import Token, read
from tracklake.tokens.job import Grant, Job, serves


def work(order: Order) -> None:
    """Be `processes` workers at once, each with `count` calls to make."""
    pids = [forked(_calls, order) for _ in range(order["processes"])]
    assert {os.waitpid(pid, 0)[1] for pid in pids} == {0}


def work_alone(order: Order) -> None:
    """Be one worker: to be killed."""
    _calls(order)


def _calls(order: Order) -> None:
    """Call the API, each time with an access token that has to be renewed first."""
    path = Path(order["path"])
    with contextlib.closing(Client(SystemClock())) as client:
        for _ in range(order["count"]):
            now_s = SystemClock().now().timestamp()
            token = _current(Job(path=str(path), grant=Grant(**order["grant"]), now_s=now_s))
            headers = {"Authorization": f"Bearer {token.access_token}"}
            answer = client.send(Ask(url=order["api"], headers=headers, tries=1))
            assert answer.status == 200


def _current(job: Job) -> Token:
    saved = read(Path(job.path))
    if saved and serves(saved, job):
        return saved
    outcome = orjson.loads(_refresher_says(job))
    return Token(**outcome["token"])


def _refresher_says(job: Job) -> bytes:
    """Have a refresh done by a process that outlives this one; return what it says."""
    for_child, to_child = os.pipe()
    from_child, for_us = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            os.close(to_child)
            sys.stdin = os.fdopen(for_child)
            os.dup2(for_us, sys.stdout.fileno())
            code = be_refresher()
        finally:
            os._exit(code)
    os.close(for_child)
    os.close(for_us)
    with os.fdopen(to_child, "wb") as given:
        given.write(orjson.dumps(dataclasses.asdict(job)))
    with os.fdopen(from_child, "rb") as said:
        outcome = said.read()
    os.waitpid(pid, 0)
    return outcome
