"""A plug-in for `make test-corpus`: keeps the tests that ask for the corpus and no others."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect every test that does not use the fixture `corpus`."""
    kept = [item for item in items if "corpus" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
