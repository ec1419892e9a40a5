"""Places to enrich in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.sources.strava_place import Place, opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an account of six activities, one of them without positions; nothing is fetched."""
    with opened(tmp_path, points=40) as found:
        found.upstream.account.fill(5, manual=False, gps=True)
        found.upstream.account.fill(1, manual=False, gps=False, every_days=0.5)
        yield found


@pytest.fixture
def pulled(place: Place) -> Place:
    """Return the place with its list pulled and compacted."""
    place.pull()
    place.compact()
    return place


@pytest.fixture
def enriched(pulled: Place) -> Place:
    """Return the place with everything fetched and in gold."""
    pulled.enrich()
    pulled.compact()
    return pulled


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a place of 40 activities of all kinds with everything fetched; nobody changes it."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with opened(tmp_path_factory.mktemp("whole"), activities=40, points=300) as found:
        found.pull()
        found.compact()
        found.enrich()
        found.compact()
        yield found
