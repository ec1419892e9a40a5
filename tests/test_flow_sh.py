"""scripts/flow.sh, run for real against stand-ins for the command and for docker compose."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tracklake import lock

REPOSITORY = Path(__file__).resolve().parent.parent

# Says its arguments and where it runs, and ends as the test wants it to.
_SAY_AND_END = """#!/bin/sh
printf '%s\\n' "{name}" "$@"
pwd
echo "pull     3 new" >&2
[ -z "$REASON" ] || echo "tracklake: $REASON" >&2
exit "${{CODE:-0}}"
"""
# Does what the command does with its log, and ends.
_LOG_AND_END = """#!/bin/sh
mkdir -p logs/flow/2026/11/20
echo working >logs/flow/2026/11/20/flow_own.log
ln -sfn 2026/11/20/flow_own.log logs/flow/latest.log
echo "tracklake: the disk is full" >&2
exit 1
"""
# Is at work until it is asked to stop, then puts things in order.
_WORK = """#!/bin/sh
trap 'echo putting things in order; exit 143' TERM
echo at work
while :; do sleep 0.05; done
"""


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project's folder with our scripts and stand-ins for what they call."""
    folder = tmp_path / "a project"
    for name in ("flow.sh", "settings.sh", "clean_logs"):
        (folder / "scripts").mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "scripts" / name, folder / "scripts")
    _executable(folder / ".venv" / "bin" / "tracklake", _SAY_AND_END.format(name="local"))
    _executable(folder / "scripts" / "dc.sh", _SAY_AND_END.format(name="docker"))
    return folder


def _run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as cron does: from elsewhere, with next to no environment."""
    return subprocess.run(
        [project / "scripts" / "flow.sh", *arguments],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "RUNNER": "local"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _logs(project: Path, kind: str) -> list[Path]:
    return sorted((project / "logs" / "flow").rglob(f"flow_*.{kind}"))


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ([], ["flow"]),
        (["--backfill"], ["flow", "--backfill"]),
        (["pull", "--athlete", "ann"], ["pull", "--athlete", "ann"]),
        (["import", "a b", "$(touch x) * ;"], ["import", "a b", "$(touch x) * ;"]),
        (["backup"], ["backup", "create"]),
        (["backup", "list"], ["backup", "list"]),
    ],
)
def test_a_stage_and_its_options_reach_the_command(
    project: Path, arguments: list[str], passed: list[str]
) -> None:
    """Without a stage it is a flow; options go through as they are, from any folder, under cron."""
    done = _run(project, *arguments)
    *said, outcome = done.stdout.splitlines()
    assert said == ["local", *passed, str(project), "pull     3 new"]
    assert f"tracklake {passed[0]}: done after" in outcome
    assert (done.stderr, done.returncode) == ("", 0)


def test_in_docker_the_stage_is_a_job_of_compose(project: Path) -> None:
    """RUNNER=docker starts the stage's service once, without a terminal, and removes it after."""
    done = _run(project, "pull", "--all", RUNNER="docker")
    said = done.stdout.splitlines()
    container = said.pop(5)
    assert said[:7] == ["docker", "run", "--rm", "-T", "--name", "pull", "--all"]
    assert container.startswith("tracklake-pull-")


@pytest.mark.parametrize(("engine", "runner"), [("exit 0", "docker"), ("exit 1", "local")])
def test_where_an_engine_answers_it_is_used(project: Path, engine: str, runner: str) -> None:
    """Without RUNNER, docker runs the stage if its engine answers, and the environment if not."""
    _executable(project / "bin" / "docker", f"#!/bin/sh\n{engine}\n")
    done = _run(project, RUNNER="", PATH=f"{project / 'bin'}:/usr/bin:/bin")
    assert done.stdout.splitlines()[0] == runner


def test_no_environment_at_all(project: Path) -> None:
    """It runs with not one variable set, not even a path."""
    _executable(project / "scripts" / "dc.sh", _SAY_AND_END.format(name="either"))
    _executable(project / ".venv" / "bin" / "tracklake", _SAY_AND_END.format(name="either"))
    done = subprocess.run(
        ["/usr/bin/env", "-i", str(project / "scripts" / "flow.sh"), "tiles"],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.splitlines()[0], done.stderr, done.returncode) == ("either", "", 0)


def test_it_may_be_called_by_a_link(project: Path, tmp_path: Path) -> None:
    """A link in a folder of the system's cron finds the project."""
    link = tmp_path / "cron.daily" / "scripts" / "flow.sh"
    link.parent.mkdir(parents=True)
    link.symlink_to(os.path.relpath(project / "scripts" / "flow.sh", link.parent))
    done = _run(link.parent.parent)
    assert str(project) in done.stdout.splitlines()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 75, 130, 143])
def test_a_failure_keeps_its_code_and_is_one_line_for_cron(project: Path, code: int) -> None:
    """The code is the command's; on standard error is one line with the reason and nothing else."""
    done = _run(project, "pull", CODE=str(code), REASON="no room")
    (line,) = done.stderr.splitlines()
    assert "tracklake pull: " in line
    assert f"(exit code {code})" in line
    assert ": no room; log: " in line
    assert done.returncode == code


def test_what_came_before_the_commands_log_is_logged(project: Path) -> None:
    """A command that could not begin leaves what it said in both logs, and latest.log shows it."""
    done = _run(project, RUNNER="docker", CODE="1", REASON='there is no image "tracklake" \\ yet')
    (text,) = _logs(project, "log")
    (lines,) = _logs(project, "jsonl")
    assert text.read_text(encoding="utf-8").endswith(
        'tracklake: there is no image "tracklake" \\ yet\n'
    )
    assert (project / "logs" / "flow" / "latest.log").resolve() == text
    assert done.stderr.rstrip().endswith(str(text.relative_to(project)))
    entry = json.loads(lines.read_text(encoding="utf-8"))
    dt.datetime.fromisoformat(entry.pop("ts"))
    assert entry == {
        "level": "error",
        "event": "not_started",
        "stage": "flow",
        "runner": "docker",
        "exit_code": 1,
        "error": 'there is no image "tracklake" \\ yet',
    }


def test_a_log_of_the_commands_own_is_not_written_twice(project: Path) -> None:
    """Where the command logged its failure, its log is named and there is no other."""
    _executable(project / ".venv" / "bin" / "tracklake", _LOG_AND_END)
    done = _run(project)
    assert [path.name for path in _logs(project, "log")] == ["flow_own.log"]
    assert "log: logs/flow/2026/11/20/flow_own.log" in done.stderr
    assert _logs(project, "jsonl") == []


def test_success_leaves_no_log_of_the_scripts(project: Path) -> None:
    """A stage that went well is logged by the command or not at all."""
    _run(project)
    assert _logs(project, "log") == []


def test_latest_stays_with_the_flow_at_work(project: Path) -> None:
    """Who finds the lock held is logged, but latest.log goes on showing the flow that holds it."""
    (project / "logs" / "flow").mkdir(parents=True)
    latest = project / "logs" / "flow" / "latest.log"
    latest.symlink_to("2026/11/20/flow_at_work.log")
    _run(project, CODE="75", REASON="another flow is at work")
    assert latest.readlink() == Path("2026/11/20/flow_at_work.log")
    assert len(_logs(project, "log")) == 1


def test_no_environment_to_run_in_is_said(project: Path) -> None:
    """With neither an engine nor a virtual environment, the way out is in the message."""
    (project / ".venv" / "bin" / "tracklake").unlink()
    done = _run(project)
    assert done.returncode == 2
    assert "start the engine, or run `make build RUNNER=local`" in done.stderr


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_logs_lie_where_the_settings_say(project: Path, tmp_path: Path, where: str) -> None:
    """TRACKLAKE_LOGS_DIR counts, from the environment as from .env, there with quotes and a CR."""
    elsewhere = tmp_path / "some logs"
    environment = {"TRACKLAKE_LOGS_DIR": str(elsewhere)} if where == "environment" else {}
    if not environment:
        line = f'TRACKLAKE_LOGS_DIR="{elsewhere}"\r\n'
        (project / ".env").write_text(line, encoding="utf-8", newline="")
    _run(project, CODE="1", **environment)
    assert len(list(elsewhere.rglob("flow_*.log"))) == 1
    assert not (project / "logs").exists()


def test_old_logs_go(project: Path) -> None:
    """After each run text older than 14 days and JSON lines older than 30 are gone, no others."""
    now_s = project.stat().st_mtime
    kept = {"log": 13, "jsonl": 29}
    gone = {"log": 16, "jsonl": 32}
    for ages in (kept, gone):
        for kind, days in ages.items():
            path = project / "logs" / "flow" / str(days) / f"flow_{days}.{kind}"
            path.parent.mkdir(parents=True)
            path.touch()
            os.utime(path, (now_s - days * 86400, now_s - days * 86400))
    _run(project)
    left = {path.name for kind in kept for path in _logs(project, kind)}
    assert left == {f"flow_{days}.{kind}" for kind, days in kept.items()}


def test_a_log_folder_that_cannot_be_written_changes_no_code(project: Path) -> None:
    """Where even the log cannot be written, the code and the reason still come through."""
    (project / "logs").write_text("a file in its place", encoding="utf-8")
    done = _run(project, CODE="3", REASON="log in anew")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith("log in anew; log: none, logs cannot be written")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_reaches_the_command(project: Path, number: signal.Signals) -> None:
    """It is handed on, the command puts things in order, and its code is the script's."""
    _executable(project / ".venv" / "bin" / "tracklake", _WORK)
    with subprocess.Popen(
        # A test runner in the background ignores SIGINT, and so would what it starts.
        ["env", "--default-signal=INT", project / "scripts" / "flow.sh"],
        env={"PATH": "/usr/bin:/bin", "RUNNER": "local"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as flow:
        assert flow.stdout is not None
        assert flow.stdout.readline() == "at work\n"
        flow.send_signal(number)
        said, complained = flow.communicate(timeout=30)
    assert said == "putting things in order\n"
    assert "stopped; the next one goes on there (exit code 143)" in complained
    assert flow.returncode == 143


def test_a_request_to_stop_stops_the_container(project: Path) -> None:
    """Compose goes away when it is asked to stop, so the script stops the container by its name."""
    _executable(project / "scripts" / "dc.sh", _WORK.replace("echo at", 'echo "$5"; echo at'))
    _executable(project / "bin" / "docker", '#!/bin/sh\necho "$*" >>docker-calls\n')
    with subprocess.Popen(
        [project / "scripts" / "flow.sh"],
        env={"PATH": f"{project / 'bin'}:/usr/bin:/bin", "RUNNER": "docker"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as flow:
        assert flow.stdout is not None
        container = flow.stdout.readline().strip()
        assert flow.stdout.readline() == "at work\n"
        flow.send_signal(signal.SIGTERM)
        flow.communicate(timeout=30)
    calls = (project / "docker-calls").read_text(encoding="utf-8").splitlines()
    assert calls == [f"stop --time 30 {container}", f"rm --force {container}"]
    assert flow.returncode == 143


def test_what_a_command_leaves_running_holds_up_nothing(project: Path) -> None:
    """A process that outlives the command with its output in hand does not keep the script."""
    outlive = "#!/bin/sh\nsleep 300 &\necho $! >left\necho done with it\n"
    _executable(project / ".venv" / "bin" / "tracklake", outlive)
    done = _run(project)
    os.kill(int((project / "left").read_text(encoding="utf-8")), signal.SIGKILL)
    assert "done with it" in done.stdout
    assert done.returncode == 0


def test_temporary_folders_are_removed(project: Path, tmp_path: Path) -> None:
    """Nothing is left where temporary files go."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    _run(project, TMPDIR=str(temporary), CODE="1")
    assert list(temporary.iterdir()) == []


def test_help_and_unknown_stages(project: Path) -> None:
    """--help explains all of it; a stage that does not exist is said, with code 2."""
    helped = _run(project, "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("Run a flow")
    for word in ("RUNNER=docker|local", "75 another flow", "latest.log"):
        assert word in helped.stdout
    unknown = _run(project, "fly")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "there is no stage fly" in unknown.stderr


def test_the_real_command_takes_the_lock(project: Path, tmp_path: Path) -> None:
    """With the real command: a flow runs and logs; while another holds the lock it ends with 75."""
    real = project / ".venv" / "bin" / "tracklake"
    _executable(real, f'#!/bin/sh\nexec "{sys.executable}" -m tracklake "$@"\n')
    places = {
        "TRACKLAKE_DATA_DIR": str(tmp_path / "data"),
        "TRACKLAKE_LOGS_DIR": str(tmp_path / "logs"),
    }
    latest = tmp_path / "logs" / "flow" / "latest.log"
    done = _run(project, "compact", **places)
    assert done.returncode == 0
    assert "session" in latest.read_text(encoding="utf-8")
    before = latest.readlink()
    with lock.held(tmp_path / "data" / "state"):
        busy = _run(project, "compact", **places)
    assert busy.returncode == 75
    assert "another flow is at work" in busy.stderr
    assert latest.readlink() == before
