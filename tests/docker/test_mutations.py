"""The checks themselves: each finds what was broken on purpose, and no other check minds."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.docker import checks, engine
from tests.docker.conftest import MakePlace
from tests.docker.place import Place, own_tree

Services = dict[str, dict[str, Any]]


def _without_read_only(place: Place) -> None:
    _change(place, lambda one: one.pop("read_only", None))


def _without_cap_drop(place: Place) -> None:
    _change(place, lambda one: one.pop("cap_drop", None))


def _with_a_lock_of_its_own(place: Place) -> None:
    (place.folder / "data" / "state").mkdir()  # else the engine makes it, as root
    own_tree(place.folder / "data")
    uid, gid = engine.person()
    state = f"/app/data/state:uid={uid},gid={gid}"
    _change(place, lambda one: one.setdefault("tmpfs", []).append(state))


def _at_six(place: Place) -> None:
    crontab = (place.folder / "cron/tracklake.cron").read_text(encoding="utf-8")
    assert "\n0 5 * * *" in crontab
    place.put("cron/tracklake.cron", crontab.replace("\n0 5 * * *", "\n0 6 * * *"))


def _change(place: Place, change: Callable[[dict[str, Any]], object]) -> None:
    """Write the compose file anew, resolved, with every service changed."""
    config = place.config()
    config.pop("name", None)  # of this place; it comes from the environment
    for service in config["services"].values():
        change(service)
    place.put("docker-compose.yml", json.dumps(config))


MUTATIONS: dict[str, Callable[[Place], None]] = {
    "nothing": lambda _place: None,
    "read_only": _without_read_only,
    "cap_drop": _without_cap_drop,
    "lock": _with_a_lock_of_its_own,
    "hour": _at_six,
}

CHECKS: dict[str, Callable[[Place], list[str]]] = {
    "read_only": checks.read_only_root,
    "cap_drop": checks.no_capabilities,
    "lock": checks.lock_is_shared,
    "hour": lambda place: checks.fires_at_five(place, ahead_s=20),
}


def _asked(place: Place) -> dict[str, list[str]]:
    return {name: check(place) for name, check in CHECKS.items()}


@pytest.fixture(scope="module")
def found(make_place: MakePlace) -> dict[str, dict[str, list[str]]]:
    """Return what each check says of each mutation; all at once, for most of it is waiting."""
    places = {name: make_place() for name in MUTATIONS}
    for name, place in places.items():
        place.put_activities(range(1))
        MUTATIONS[name](place)
    with ThreadPoolExecutor(len(places)) as pool:
        return dict(zip(places, pool.map(_asked, places.values()), strict=True))


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation_makes_exactly_its_check_fail(
    found: dict[str, dict[str, list[str]]], mutation: str
) -> None:
    """Without `read_only`, `cap_drop`, the shared lock, the hour: its check fails, no other."""
    failed = {name: problems for name, problems in found[mutation].items() if problems}
    assert set(failed) == {mutation} - {"nothing"}, failed
