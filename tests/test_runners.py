"""What runs where: RUNNER, and what a target asks of Docker, seen by a stand-in."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docker_stand_in import Checkout, executable


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout whose engine answers and whose image is there."""
    return Checkout(tmp_path)


def _job(*arguments: str) -> list[str]:
    return ["compose", "run", "-T", "--rm", *arguments]


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("flow", ["flow"]),
        ("flow-now", ["flow"]),
        ("flow-backfill", ["flow", "--backfill"]),
        ("pull", ["pull"]),
        ("compact", ["compact"]),
        ("recompact", ["compact", "--rebuild", "--verify"]),
        ("enrich", ["enrich"]),
        ("tiles", ["tiles"]),
        ("upload", ["upload"]),
        ("backup", ["backup", "create"]),
        ("auth", ["--service-ports", "auth", "strava"]),
        ("status", ["cli", "status"]),
        ("quarantine", ["cli", "quarantine", "list"]),
        ("schedule-time", ["cli", "scheduler", "next"]),
        ("map", ["--service-ports", "api"]),
    ],
)
def test_a_target_is_one_container(checkout: Checkout, target: str, arguments: list[str]) -> None:
    """With a container engine a target runs one job of the compose file, gone afterwards."""
    done = checkout.run("make", target)
    assert (done.calls, done.code) == ([_job(*arguments)], 0)


@pytest.mark.parametrize(
    "text",
    [
        "select 1; touch PWNED",
        "$(shell touch PWNED)",
        "$(touch PWNED) `touch PWNED` ${HOME} $$ $1",
        "it''s \"name\" * ? # \\ | touch PWNED",
        "-- a comment\nselect 1",
        "--help",
    ],
)
@pytest.mark.parametrize(
    ("target", "variable", "before"),
    [("sql", "Q", ["cli", "sql"]), ("schedule-set", "T", ["cli", "scheduler", "set"])],
)
def test_what_is_typed_is_never_run_on_the_way_into_a_container(
    checkout: Checkout, target: str, variable: str, before: list[str], text: str
) -> None:
    """The text reaches compose as one argument, byte for byte, through make and two scripts."""
    done = checkout.run("make", target, f"{variable}={text}")
    assert (done.calls, done.code) == ([_job(*before, "--", text)], 0)
    assert not (checkout.folder / "PWNED").exists()


def test_the_runner_is_not_evaluated_either(checkout: Checkout) -> None:
    """RUNNER is a word out of two; anything else is named, and nothing is run of it."""
    done = checkout.run("make", "status", "RUNNER=$(shell touch PWNED)`touch PWNED`")
    assert "RUNNER is docker or local" in done.err
    assert (done.code, (checkout.folder / "PWNED").exists()) == (2, False)


def test_without_an_engine_it_runs_here(checkout: Checkout) -> None:
    """Where no engine answers the virtual environment does the work, without a word about it."""
    (checkout.bin / "no-engine").write_text("Cannot connect to the Docker daemon")
    done = checkout.run("make", "status")
    assert (done.out, done.err, done.code) == ("local: status\n", "", 0)


def test_local_means_local(checkout: Checkout) -> None:
    """RUNNER=local asks no engine, even where one answers."""
    done = checkout.run("make", "status", "RUNNER=local")
    assert (done.out, done.called) == ("local: status\n", False)


@pytest.mark.parametrize("target", ["help", "demo", "clean-logs"])
def test_what_needs_no_engine_asks_none(checkout: Checkout, target: str) -> None:
    """The list of targets and the demo do not wait for docker."""
    executable(checkout.folder / "scripts" / "clean_logs", "#!/bin/sh\n")
    done = checkout.run("make", target)
    assert (done.code, done.called) == (0, False)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 75])
def test_the_exit_code_is_the_commands(checkout: Checkout, code: int) -> None:
    """A schedule outside can tell a held lock from a failure."""
    (checkout.bin / "code").write_text(str(code))
    assert checkout.run("scripts/run", "flow").code == code
    assert checkout.run("scripts/dc.sh", "run", "--rm", "flow").code == code


def test_an_import_mounts_what_it_reads(checkout: Checkout) -> None:
    """A file that lies elsewhere is in the container under the same name, only for reading."""
    file = checkout.folder / "my export; $(x).zip"
    file.touch()
    done = checkout.run("make", "import", f"P={file.name}")
    assert done.calls == [_job("-v", f"{file}:{file}:ro", "import", "--", str(file))]


def test_an_import_of_nothing_is_named(checkout: Checkout) -> None:
    """A path that does not exist is said before a container is started."""
    done = checkout.run("make", "import", "P=nowhere.zip")
    assert "there is no nowhere.zip" in done.err
    assert done.calls == []


def test_a_company_authority_is_a_build_secret(checkout: Checkout) -> None:
    """The bundle goes to the build as a secret, and another bundle makes another layer."""
    bundle = checkout.folder / "ca.pem"
    bundle.write_text("one")
    first = checkout.run("make", "build", TRACKLAKE_CA_BUNDLE=str(bundle)).calls[0]
    bundle.write_text("two")
    second = checkout.run("make", "build", TRACKLAKE_CA_BUNDLE=str(bundle)).calls[0]
    assert f"id=ca_bundle,src={bundle}" in first
    digests = [[word for word in call if word.startswith("CA_DIGEST=")] for call in (first, second)]
    assert digests[0] != digests[1]


def test_the_api_is_published_where_it_is_set(checkout: Checkout) -> None:
    """`localhost` is understood, for compose takes numbers only."""
    seen = checkout.run("scripts/dc.sh", "up", TRACKLAKE_API_BIND="localhost:9000").environment
    assert seen["TRACKLAKE_API_BIND"] == "127.0.0.1:9000"


def test_the_login_comes_back_to_the_port_of_its_address(checkout: Checkout) -> None:
    """Another redirect address publishes its port."""
    seen = checkout.run("make", "auth", STRAVA_REDIRECT_URI="http://localhost:9001/x").environment
    assert seen["TRACKLAKE_REDIRECT_PORT"] == "9001"


def test_scheduler_and_api_are_services(checkout: Checkout) -> None:
    """Up starts one service and waits until it is alive; down ends that one only."""
    up = checkout.run("make", "api-up")
    alive = ["compose", "exec", "-T", "api", "tracklake", "api", "--check"]
    assert up.calls == [["compose", "up", "-d", "api"], alive]
    down = checkout.run("make", "schedule-down")
    assert down.calls == [["compose", "rm", "--stop", "--force", "scheduler"]]


# A command that stays, like the scheduler; where a file `broken` lies it ends at once with a word.
_STAYS = """#!/bin/sh
case "$*" in
  *alive*|*--check*) test -e started ;;
  scheduler|api)
    if [ -e broken ]; then echo 'line 1 is bad'; exit 2; fi
    trap 'rm -f started; exit 0' TERM
    touch started
    while :; do sleep 0.05; done ;;
  *) echo "local: $*" ;;
esac
"""


@pytest.fixture
def staying(checkout: Checkout) -> Checkout:
    """Return a checkout whose command stays until it is asked to end."""
    executable(checkout.folder / ".venv" / "bin" / "tracklake", _STAYS)
    return checkout


def test_locally_up_and_down_are_one_process(staying: Checkout) -> None:
    """Up starts one process and no second, down ends it and nothing is left; again is no error."""
    first = staying.run("make", "schedule-up", "RUNNER=local")
    assert first.code == 0, first.err
    again = staying.run("make", "schedule-up", "RUNNER=local")
    ended = staying.run("make", "schedule-down", "RUNNER=local")
    nothing = staying.run("make", "schedule-down", "RUNNER=local")
    assert "the scheduler runs (process" in first.out
    assert "the scheduler runs already" in again.out
    assert ended.out == "the scheduler has ended\n"
    assert nothing.out == "the scheduler does not run\n"
    assert not (staying.folder / "started").exists()


def test_locally_a_start_that_fails_is_said(staying: Checkout) -> None:
    """A scheduler that ends at once is no success, and its own words are shown."""
    (staying.folder / "broken").touch()
    done = staying.run("scripts/service", "scheduler", "up", RUNNER="local")
    assert "line 1 is bad" in done.err
    assert (done.code, (staying.folder / "data/state/scheduler.pid").exists()) == (1, False)


def test_locally_somebody_elses_process_is_never_ended(staying: Checkout) -> None:
    """A number that meanwhile names another process is not ours: it is left alone."""
    with subprocess.Popen(["sleep", "60"]) as other:
        (staying.folder / "data" / "state").mkdir(parents=True)
        (staying.folder / "data/state/api.pid").write_text(f"{other.pid}\n1\n")
        done = staying.run("make", "api-down", "RUNNER=local")
        assert (done.out, other.poll()) == ("the api does not run\n", None)
        other.kill()


def test_duck_without_duckdb_is_a_prompt(checkout: Checkout) -> None:
    """Where there is no shell of DuckDB's, queries are answered one by one, over several lines."""
    executable(
        checkout.folder / ".venv" / "bin" / "tracklake",
        '#!/bin/sh\nshift 2\nprintf "<%s>" "$1"\n',
    )
    executable(checkout.bin / "duckdb", "#!/bin/sh\n")
    (checkout.bin / "duckdb").unlink()
    if shutil.which("duckdb"):
        pytest.fail("this test needs a PATH without duckdb")
    done = checkout.run("make", "duck", "RUNNER=local", text="select 1;\nselect\n '$(x)' -- 2\n")
    assert done.out == "<select 1;\n><select\n '$(x)' -- 2\n>"


def test_duck_with_duckdb_opens_the_snapshot_only_for_reading(checkout: Checkout) -> None:
    """The host's own shell is taken where there is one, wherever the data folder lies."""
    executable(checkout.bin / "duckdb", '#!/bin/sh\necho "$*"\n')
    (checkout.folder / "here" / "warehouse").mkdir(parents=True)
    (checkout.folder / "here" / "warehouse" / "tracklake.duckdb").touch()
    done = checkout.run("make", "duck", TRACKLAKE_DATA_DIR="here")
    assert done.out == "-readonly here/warehouse/tracklake.duckdb\n"
