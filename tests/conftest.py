"""What every test may ask for."""

import os
from pathlib import Path

import pytest
import structlog

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
def _quiet_logs() -> None:
    """Keep the log of what tests make happen out of their output."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
