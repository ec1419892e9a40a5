"""What a container may do: nothing that it does not need."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.docker import checks
from tests.docker.conftest import MakePlace
from tests.docker.place import Place, probe

EVERY = (*checks.JOBS, *checks.SERVICES)


@pytest.fixture(scope="module")
def place(make_place: MakePlace) -> Place:
    """Return a place of which every service was asked what it sees, two at a time."""
    found = make_place()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda service: probe(found, service), EVERY))
    return found


def test_no_container_can_write_to_its_root(place: Place) -> None:
    """In every service only the mounted folders and /tmp are writable."""
    assert checks.read_only_root(place, EVERY) == []


def test_no_container_has_capabilities(place: Place) -> None:
    """In every service CapBnd and CapEff are 0, NoNewPrivs is 1, and the user is the person."""
    assert checks.no_capabilities(place, EVERY) == []


def test_what_needs_no_network_has_none(place: Place) -> None:
    """`compact` and `tiles` see no interface but loopback."""
    assert checks.no_network(place) == []


def test_no_container_sees_the_engine(place: Place) -> None:
    """No service has the engine's socket, not even one that is mounted by mistake."""
    assert [service for service in EVERY if probe(place, service)["socket"]] == []


def test_the_compose_file_asks_for_no_more_than_it_needs(place: Place) -> None:
    """As compose resolves it: no socket, no port but the API's on 127.0.0.1, limits everywhere."""
    assert checks.modest_configuration(place.config()) == []
