"""What every test may ask for."""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests import rows
from tracklake import config, flow
from tracklake.config import Folders
from tracklake.sample import inbox

# A busy machine is not a defect: no deadline for a single example.
hypothesis.settings.register_profile("tracklake", deadline=None)
hypothesis.settings.load_profile("tracklake")

# No test asks for weather but of a simulator of its own, nor do processes that tests start.
os.environ["TRACKLAKE_WEATHER"] = "off"  # noqa: TID251 before anything reads it

REPOSITORY = Path(__file__).resolve().parent.parent
CORPUS = REPOSITORY.parent / "shared" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real activity files; without it CI fails and others are told."""
    if not CORPUS.is_dir():
        message = f"the corpus of real activity files is not at {CORPUS}"
        if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
            pytest.fail(message)
        pytest.skip(f"NOT TESTED ON REAL FILES: {message}")
    return CORPUS


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Keep the log of what tests make happen out of their output; close what they opened."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    while rows.OPENED:
        rows.OPENED.pop().close()


@pytest.fixture(scope="session")
def sample_inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample athlete's files; nobody writes there."""
    folder = tmp_path_factory.mktemp("sample") / "inbox"
    inbox.write_inbox(folder, until=dt.date(2026, 11, 20))
    return folder


@pytest.fixture(scope="session")
def sample_lake(sample_inbox: Path) -> Folders:
    """Return the folders after a whole flow over the sample athlete; nobody writes there."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    place = sample_inbox.parent
    settings, folders = config.load(
        data_dir=place / "data",
        logs_dir=place / "logs",
        secrets_dir=place / "secrets",
        inbox=sample_inbox,
    )
    report = flow.FlowReport()
    with flow.running("test", settings, folders, report) as session:
        flow.whole(session, report)
    return folders
