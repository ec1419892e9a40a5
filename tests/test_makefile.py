"""The Makefile and the set-up script, run for real against stand-ins for the slow parts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

_ECHO_ARGUMENTS = """#!/bin/sh
for argument in "$@"; do printf '%s\\0' "$argument"; done
"""


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}  # noqa: TID251 a child needs these
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | {"RUNNER": "local"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """Return a folder with our Makefile, where `tracklake` and `python` print their arguments."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    (tmp_path / "scripts").mkdir()
    for name in ("build", "duck", "latest_log", "run", "service", "settings.sh"):
        shutil.copy(REPOSITORY / "scripts" / name, tmp_path / "scripts")
    _executable(tmp_path / "scripts" / "venv", "#!/bin/sh\n")
    for name in ("tracklake", "python"):
        _executable(tmp_path / ".venv" / "bin" / name, _ECHO_ARGUMENTS)
    return tmp_path


def test_help_is_the_default_and_lists_every_explained_target(tmp_path: Path) -> None:
    """Plain `make` prints each target that carries an explanation, and needs nothing installed."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    done = _run(["make"], tmp_path)
    listed = set(re.findall(r"^  make ([a-z-]+)", done.stdout, re.MULTILINE))
    assert listed == set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert done.returncode == 0


def test_every_target_is_phony() -> None:
    """A file or folder that bears a target's name cannot make the target do nothing."""
    phony = MAKEFILE.split(".PHONY:")[1].split("\n\n")[0].replace("\\\n", " ").split()
    checks = re.findall(r"^CHECKS := (.*)$", MAKEFILE, re.MULTILINE)[0].split()
    targets = re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE)
    assert set(targets) == {name for name in phony if not name.startswith("$")} | set(checks)


@pytest.mark.parametrize(
    "text",
    [
        "select count(*) from activities; touch PWNED",
        "select 'it''s', \"name\" from activities",
        "$(shell touch PWNED)",
        "$(touch PWNED) `touch PWNED` ${HOME}",
        "select $$ text $$, $1",
        "-- a comment\nselect 1",
        "--help",
        "select '100 %' # \\ * ?",
    ],
)
@pytest.mark.parametrize(
    ("target", "variable", "before"),
    [
        ("sql", "Q", ["sql", "--"]),
        ("import", "P", ["import", "--"]),
        ("schedule-set", "T", ["scheduler", "set", "--"]),
    ],
)
def test_what_is_typed_after_q_and_p_is_never_run(
    stand_in: Path, target: str, variable: str, before: list[str], text: str
) -> None:
    """The text reaches the command as one argument, byte for byte; neither make nor sh reads it."""
    done = _run(["make", target, f"{variable}={text}"], stand_in)
    assert (done.stdout.split("\0"), done.returncode) == ([*before, text, ""], 0)
    assert not (stand_in / "PWNED").exists()


_SHELL_TEXTS = [
    "; touch PWNED",
    "$(shell touch PWNED)",
    "$(touch PWNED) `touch PWNED` ${HOME}",
    "'it''s' \"name\" | touch PWNED",
    "$$ $1 * ? [a-z] ~ # \\ &&",
    "--help",
]


@pytest.mark.parametrize("text", _SHELL_TEXTS)
@pytest.mark.parametrize(
    ("target", "variable", "arguments"),
    [
        ("forget", "S", ["forget", "--source="]),
        ("run", "DAYS", ["pull", "--source", "strava", "--per-page=200", "--lookback-days="]),
        ("restore", "AT", ["backup", "restore", "--at="]),
        ("run-all", "PER_PAGE", ["pull", "--source", "strava", "--per-page="]),
    ],
)
def test_a_value_is_never_run(
    stand_in: Path, target: str, variable: str, arguments: list[str], text: str
) -> None:
    """A name or a number reaches the command within one option, whatever is typed for it."""
    done = _run(["make", target, f"{variable}={text}"], stand_in)
    assert done.stdout.split("\0")[: len(arguments)] == [*arguments[:-1], arguments[-1] + text]
    assert not (stand_in / "PWNED").exists()


@pytest.mark.parametrize("text", _SHELL_TEXTS)
@pytest.mark.parametrize(
    ("target", "variable", "before"),
    [
        ("enrich", "ENRICH_ARGS", ["enrich"]),
        ("enrich-all", "ENRICH_ALL_ARGS", ["enrich", "--all"]),
        ("upload", "UPLOAD_ARGS", ["upload"]),
        ("upstream", "UPSTREAM_ARGS", ["-m", "tests.upstream"]),
    ],
)
def test_several_arguments_are_cut_at_blanks_and_never_run(
    stand_in: Path, target: str, variable: str, before: list[str], text: str
) -> None:
    """Each word reaches the command as it was typed: no quotes, globs or commands in it."""
    done = _run(["make", target, f"{variable}=--a 1 {text}"], stand_in)
    assert (done.stdout.split("\0"), done.returncode) == (
        [*before, "--a", "1", *text.split(), ""],
        0,
    )
    assert not (stand_in / "PWNED").exists()


@pytest.mark.parametrize("target", ["sql", "import", "forget", "schedule-set", "schedule-exec"])
def test_a_forgotten_argument_is_said(stand_in: Path, target: str) -> None:
    """Without Q, P, S and the like nothing runs, and the message shows how to call it."""
    done = _run(["make", target], stand_in)
    assert (done.stdout, done.returncode) == ("", 2)
    assert f"make {target} " in done.stderr


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("demo", ["demo"]),
        ("flow", ["flow"]),
        ("flow-now", ["flow"]),
        ("flow-backfill", ["flow", "--backfill"]),
        ("auth", ["auth", "strava"]),
        ("enrich", ["enrich"]),
        ("enrich-all", ["enrich", "--all"]),
        ("recompact", ["compact", "--rebuild", "--verify"]),
        ("quarantine", ["quarantine", "list"]),
        ("upload", ["upload"]),
        ("backup", ["backup", "create"]),
        ("restore", ["backup", "restore"]),
        ("schedule-time", ["scheduler", "next"]),
        ("schedule-doctor", ["scheduler", "doctor"]),
        ("map", ["map"]),
    ],
)
def test_targets_call_the_command(stand_in: Path, target: str, arguments: list[str]) -> None:
    """A target is a short name for a command and nothing else."""
    done = _run(["make", target], stand_in)
    assert done.stdout.split("\0") == [*arguments, ""]


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("run", ["--per-page=200", "--lookback-days=21"]),
        ("run-lite", ["--per-page=200", "--lookback-days=0"]),
        ("run-all", ["--per-page=200", "--all"]),
    ],
)
def test_runs_pull_from_strava_and_compact(stand_in: Path, target: str, options: list[str]) -> None:
    """What was listed is in the warehouse afterwards; pages and days are the documented ones."""
    done = _run(["make", target], stand_in)
    pulled = ["pull", "--source", "strava", *options]
    assert done.stdout.split("\0") == [*pulled, "compact", ""]


def test_a_tunable_may_come_from_the_environment(stand_in: Path) -> None:
    """Whoever always wants another number sets it once."""
    done = _run(["make", "run"], stand_in, DAYS="30", PER_PAGE="50")
    assert {"--lookback-days=30", "--per-page=50"} <= set(done.stdout.split("\0"))


def test_a_failing_command_fails_the_target(stand_in: Path) -> None:
    """What the command reports as failed is not a success of make."""
    _executable(stand_in / ".venv" / "bin" / "tracklake", "#!/bin/sh\nexit 75\n")
    assert _run(["make", "flow"], stand_in).returncode != 0


@pytest.fixture
def set_up(tmp_path: Path) -> Path:
    """Return a folder with the set-up script and a lock; a `python3` in bin/ records its calls."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(REPOSITORY / "scripts" / "venv", tmp_path / "scripts")
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    _executable(tmp_path / "bin" / "python3", _PYTHON)
    return tmp_path


# A Python whose `-m venv` makes a folder with itself in it and whose pip fails while `offline` is
# there; each call is a line in `calls`.
_PYTHON = """#!/bin/sh
echo "$*" >>"$OLDPWD_FOR_TEST/calls"
case "$*" in
  "-m venv --clear "*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  *install*) test ! -e "$OLDPWD_FOR_TEST/offline" ;;
esac
"""


def _set_up(folder: Path, level: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return _run(
        ["scripts/venv", level],
        folder,
        PYTHON=str(folder / "bin" / "python3"),
        OLDPWD_FOR_TEST=str(folder),
        **environment,
    )


def _calls(folder: Path) -> int:
    calls = folder / "calls"
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def test_set_up_is_done_once(set_up: Path) -> None:
    """The second time nothing is called and nothing is said."""
    first = _set_up(set_up, "run")
    calls = _calls(set_up)
    second = _set_up(set_up, "run")
    assert "setting up" in first.stderr
    assert (second.stderr, second.returncode, _calls(set_up)) == ("", 0, calls)


def test_the_larger_set_contains_the_smaller(set_up: Path) -> None:
    """Where the tests' packages are installed, the command's are too."""
    _set_up(set_up, "dev")
    calls = _calls(set_up)
    _set_up(set_up, "run")
    assert _calls(set_up) == calls


def test_a_changed_lock_is_installed(set_up: Path) -> None:
    """After an update of the lock file the next target installs it."""
    _set_up(set_up, "run")
    calls = _calls(set_up)
    (set_up / "requirements.lock").write_text("newer")
    _set_up(set_up, "run")
    assert _calls(set_up) > calls


def test_an_interrupted_set_up_is_repeated(set_up: Path) -> None:
    """A set-up that failed half way is not taken for done; the next one completes it."""
    (set_up / "offline").touch()
    assert _set_up(set_up, "run").returncode != 0
    (set_up / "offline").unlink()
    assert _set_up(set_up, "run").returncode == 0
    assert "setting up" not in _set_up(set_up, "run").stderr


def test_a_moved_folder_is_set_up_anew(
    set_up: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Scripts in an environment carry its path, so a renamed checkout gets a new one."""
    _set_up(set_up, "run")
    moved = tmp_path_factory.mktemp("elsewhere") / "tracklake"
    shutil.move(set_up, moved)
    (moved / "calls").unlink()
    _set_up(moved, "run")
    assert "-m venv --clear" in (moved / "calls").read_text()


def test_an_old_python_is_refused_in_one_sentence(set_up: Path) -> None:
    """Without a Python of at least 3.11 the message says so and nothing is made."""
    _executable(set_up / "bin" / "python3", "#!/bin/sh\nexit 1\n")
    done = _set_up(set_up, "run")
    assert "needs Python 3.11" in done.stderr
    assert (done.returncode, (set_up / ".venv").exists()) == (1, False)


def test_a_python_without_venv_names_the_package(set_up: Path) -> None:
    """On a Debian that lacks python3-venv the message names it."""
    _executable(set_up / "bin" / "python3", '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n')
    done = _set_up(set_up, "run")
    assert "apt-get install python3-venv" in done.stderr
    assert (done.returncode, (set_up / ".venv").exists()) == (1, False)


def test_no_registry_is_named() -> None:
    """Locks, scripts and settings name no package registry: pip's own configuration decides."""
    files = [
        *REPOSITORY.glob("requirements*.lock"),
        *(REPOSITORY / "scripts").iterdir(),
        REPOSITORY / "Makefile",
        REPOSITORY / "pyproject.toml",
    ]
    naming = [
        path.name
        for path in files
        if path.is_file() and re.search(r"index-url\s*[=h]|pypi\.org", path.read_text("utf-8"))
    ]
    assert not naming
