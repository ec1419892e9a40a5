"""A place of its own for Airflow: its database, the DAG, and what the DAG's tasks start."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent
AIRFLOW = REPOSITORY / "build" / "venv-airflow" / "bin"

# Ends as the line of codes/STAGE[-ATHLETE] for this try says, with 0 where it says nothing.
STAND_IN = """#!/bin/sh
key=$1${3:+-$3}
try=$(($(grep -cx "$key" calls) + 1))
echo "$key" >>calls
code=$(sed -n "${try}p" "codes/$key" 2>/dev/null)
echo "tracklake $key: try $try ${WORDS:-} (exit code ${code:-0})"
exit "${code:-0}"
"""

_KEPT = ("PATH", "LANG", "TRACKLAKE_WEATHER")


@dataclass(frozen=True)
class Place:
    """A folder with Airflow's database; a folder in it that stands for the project."""

    folder: Path

    @property
    def project(self) -> Path:
        """Where the DAG finds scripts/flow.sh."""
        return self.folder / "project"

    def environment(self, **more: str) -> dict[str, str]:
        """Return what Airflow's processes see: this place and short delays."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 a child needs these
        return kept | {
            "HOME": str(self.folder),
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "TRACKLAKE_HOME": str(self.project),
            "TRACKLAKE_AIRFLOW_LOCK_DELAY_S": "2",
            "TRACKLAKE_AIRFLOW_RETRY_DELAY_S": "1",
            **more,
        }

    def airflow(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command `airflow`; what it says on both channels comes as stdout."""
        return subprocess.run(
            [AIRFLOW / "airflow", *arguments],
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )

    def ask(self, script: str, *arguments: str, **more: str) -> Any:
        """Run Python with Airflow; return what it prints as JSON in its last line."""
        done = subprocess.run(
            [AIRFLOW / "python", "-c", script, *arguments],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def stand_in(self, **codes: str) -> None:
        """Put a stand-in for flow.sh there: the codes of each stage's tries, a word each."""
        script = self.project / "scripts" / "flow.sh"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(STAND_IN, encoding="utf-8")
        script.chmod(0o755)
        (self.project / "calls").write_text("", encoding="utf-8")
        folder = self.project / "codes"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for stage, words in codes.items():
            text = "".join(f"{word}\n" for word in words.split())
            (folder / stage.replace("_", "-")).write_text(text, encoding="utf-8")

    def calls(self) -> list[str]:
        """Return which stages the stand-in ran, in order: STAGE, or STAGE-ATHLETE."""
        return (self.project / "calls").read_text(encoding="utf-8").split()

    def run(self) -> tuple[str, dict[str, list[str]]]:
        """Return the state of the newest run, and of its tasks' instances by the task's name."""
        with sqlite3.connect(self.folder / "airflow.db") as database:
            (run_id, state) = database.execute(
                "select run_id, state from dag_run order by id desc limit 1"
            ).fetchone()
            rows = database.execute(
                "select task_id, state from task_instance where run_id = ? order by map_index",
                (run_id,),
            ).fetchall()
        states: dict[str, list[str]] = {}
        for task, of_task in rows:
            states.setdefault(task, []).append(of_task)
        return state, states

    def real(self) -> None:
        """Put the project's own scripts there, with the command that the tests have."""
        self.project.mkdir()
        (self.project / "scripts").symlink_to(REPOSITORY / "scripts")
        command = self.project / ".venv" / "bin" / "tracklake"
        command.parent.mkdir(parents=True)
        call = f'#!/bin/sh\nexec "{sys.executable}" -m tracklake "$@"\n'
        command.write_text(call, encoding="utf-8")
        command.chmod(0o755)
