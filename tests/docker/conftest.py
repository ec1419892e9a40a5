"""An engine, an image made from a fresh copy of the project, and places to use it in."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.docker import engine
from tests.docker.place import Place, furnish, own_tree

_HERE = Path(__file__).resolve().parent
MakePlace = Callable[..., Place]


_MEASURED: list[str] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was measured."""
    for line in _MEASURED:
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture
def measured() -> Callable[[str], None]:
    """Return a function that takes a line for the end of the run."""
    return _MEASURED.append


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave these tests out of a run that did not name them: they need an engine and minutes."""
    named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
    asked = any(path == _HERE or _HERE in path.parents for path in named)
    return None if asked or _HERE not in (collection_path, *collection_path.parents) else True


def _without(what: str) -> None:
    """Fail in CI; elsewhere skip, loudly."""
    if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
        pytest.fail(what)
    pytest.skip(f"NOT TESTED WITH A REAL ENGINE: {what}")


@pytest.fixture
def root() -> None:
    """Ask for what only root can prepare: a small disk, a folder of another user."""
    if not engine.is_root():
        _without("this test has to mount or give away a folder, which takes root")


@pytest.fixture(scope="session")
def engine_version() -> str:
    """Return the version of the engine, after removing what runs that died left on it."""
    found = engine.version()
    if found is None:
        _without("no container engine answers (`docker version` says why)")
    engine.sweep()
    return found or ""


def _project_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in listed.stdout.split("\0") if name})


@pytest.fixture(scope="session")
def home(engine_version: str) -> Iterator[Path]:
    """Return a folder that the person can enter, gone afterwards."""
    assert engine_version
    folder = Path(tempfile.mkdtemp(prefix=f"{engine.PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)
    engine.make_home(folder)
    yield folder
    engine.remove_folder(folder)


@pytest.fixture(scope="session")
def checkout(home: Path) -> Iterator[Place]:
    """Return a fresh copy of the project's files; nothing is built yet."""
    folder = home / "checkout"
    for name in _project_files():
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    own_tree(folder)
    name = f"{engine.PREFIX}{os.getpid()}"
    place = Place(folder=folder, project=f"{name}-checkout", image=f"{name}:latest")
    yield place
    engine.remove_project(place.project)
    engine.docker("image", "rm", "-f", place.image)


@pytest.fixture(scope="session")
def built(checkout: Place) -> Place:
    """Return the copy after `make build`."""
    done = checkout.make("build")
    assert done.returncode == 0, f"make build failed:\n{done.stdout}\n{done.stderr}"
    return checkout


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture(scope="module")
def make_place(built: Place, home: Path, _numbers: Iterator[int]) -> Iterator[MakePlace]:
    """Return a function that makes a place with the built image; all are removed afterwards."""
    made: list[Place] = []

    def make() -> Place:
        number = next(_numbers)
        folder = home / f"place-{number}"
        furnish(folder, built.folder)
        project = f"{engine.PREFIX}{os.getpid()}-{number}"
        made.append(Place(folder=folder, project=project, image=built.image))
        return made[-1]

    yield make
    for place in made:
        engine.remove_project(place.project)
        engine.remove_folder(place.folder)
