"""scripts/test_docker: what it does about the engine, against stand-ins for all that it calls."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "test_docker"


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_an_engine_it_says_that_nothing_was_tested(
    tmp_path: Path, ci: str, code: int
) -> None:
    """It says NOT TESTED on standard error, which is a failure in CI and none elsewhere."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    done = subprocess.run(
        [tmp_path / "scripts" / "test_docker"],
        env={"PATH": "/usr/bin:/bin", "CI": ci, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert done.stderr.startswith("NOT TESTED: ")


@pytest.mark.parametrize(
    ("is_up", "calls"),
    [
        (False, ["engine env", "engine up", "engine env", "tests", "sweep", "engine down"]),
        (True, ["engine env", "tests", "sweep"]),
    ],
)
def test_it_stops_only_the_engine_that_it_started(
    tmp_path: Path, is_up: bool, calls: list[str]
) -> None:
    """An engine that answered already goes on; the exit code is that of the tests."""
    said, up = tmp_path / "said", tmp_path / "up"
    if is_up:
        up.touch()
    stand_ins = {
        "project/scripts/test_docker": SCRIPT.read_text(encoding="utf-8"),
        "shared/tools/docker-engine.sh": f"""#!/bin/sh
echo "engine $1" >>{said}
case $1 in up) touch {up} ;; down) rm {up} ;; esac
""",
        "bin/docker": f"#!/bin/sh\ntest -e {up}\n",
        "bin/id": "#!/bin/sh\necho 0\n",
        "project/.venv/bin/python": f"""#!/bin/sh
case $2 in pytest) echo tests >>{said}; exit 5 ;; *) echo sweep >>{said}; exit 1 ;; esac
""",
    }
    for name, text in stand_ins.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "project/scripts/test_docker"],
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert said.read_text(encoding="utf-8").splitlines() == calls
    assert done.returncode == 5
