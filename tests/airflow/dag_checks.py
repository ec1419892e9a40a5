"""The DAG in a real Airflow: what it is made of, what it does with exit codes, a flow by it.

Not collected by `pytest` alone, for Airflow takes 290 MB and half a minute to install:
`scripts/test_airflow` runs this.
"""

import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.airflow.place import AIRFLOW, Place
from tracklake import lock

# Two short rides of different days, out of the corpus.
RIDES = ("swim.fit", "mountain-biking.fit")

_STRUCTURE = """
import json
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
from airflow.configuration import conf

bag = DagBag(conf.get("core", "dags_folder"))
dag = bag.dags["tracklake_flow"]
print(json.dumps({
    "errors": {Path(file).name: error for file, error in bag.import_errors.items()},
    "dags": sorted(bag.dags),
    "tasks": {name: [type(task).__name__, sorted(task.downstream_task_ids)]
              for name, task in dag.task_dict.items()},
    "rules": {name: str(task.trigger_rule) for name, task in dag.task_dict.items()},
    "retries": {name: task.retries for name, task in dag.task_dict.items()},
    "schedule": [dag.timetable.expression, str(dag.timetable.timezone)],
    "catchup": dag.catchup,
    "at once": [dag.max_active_runs, dag.max_active_tasks],
    "tags": sorted(dag.tags),
    "doc": dag.doc_md,
}))
"""

_REACTIONS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowException

dag = DagBag(conf.get("core", "dags_folder")).dags["tracklake_flow"]
reactions = {}
for name in ("compact", "compact_again", "backup"):
    stage = dag.task_dict[name]
    for code in sys.argv[1:]:
        try:
            stage._react(int(code), "it said so")
        except AirflowException as error:
            decisions = [stage.retry_policy.evaluate(error, number, 18) for number in (1, 4, 17)]
            reactions.setdefault(code, set()).add((
                type(error).__name__, str(error),
                *(one.action.value for one in decisions),
                *(one.retry_delay and one.retry_delay.total_seconds() for one in decisions),
            ))
        else:
            reactions.setdefault(code, set()).add(())
print(json.dumps({code: [list(one) for one in found] for code, found in reactions.items()}))
"""

_KILL = """
import json, sys, threading, time
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowException

stage = DagBag(conf.get("core", "dags_folder")).dags["tracklake_flow"].task_dict["compact"]
raised = []
def execute():
    try:
        stage.execute({})
    except AirflowException as error:
        raised.append(str(error))
at_work = threading.Thread(target=execute)
at_work.start()
with open(sys.argv[1]) as told:  # a pipe: opens when the stage is at work
    told.read()
while getattr(stage._hook, "sub_process", None) is None:  # Airflow's hook may not know it yet
    time.sleep(0.01)
stage.on_kill()
at_work.join(60)
print(json.dumps(raised))
"""


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Airflow's database as `airflow db migrate` makes it."""
    assert AIRFLOW.is_dir(), "there is no Airflow here: run scripts/test_airflow"
    place = Place(tmp_path_factory.mktemp("airflow"))
    done = place.airflow("db", "migrate")
    assert done.returncode == 0, done.stdout
    return place.folder


@pytest.fixture
def place(database: Path, tmp_path: Path) -> Place:
    """Return a place with a fresh database."""
    shutil.copytree(database, tmp_path / "airflow")
    config = tmp_path / "airflow" / "airflow.cfg"
    text = config.read_text(encoding="utf-8").replace(str(database), str(tmp_path / "airflow"))
    config.write_text(text, encoding="utf-8")
    return Place(tmp_path / "airflow")


def test_the_dag_is_what_it_says(place: Place) -> None:
    """It loads without errors and has a task a stage, in order; three are mapped over athletes."""
    found = place.ask(_STRUCTURE, TZ="Europe/Madrid")
    assert (found["errors"], found["dags"]) == ({}, ["tracklake_flow"])
    assert found["tasks"] == {
        "athletes": ["_PythonDecoratedOperator", ["enrich", "pull", "tiles"]],
        "pull": ["MappedOperator", ["compact", "outcome"]],
        "compact": ["Stage", ["compact_again", "enrich", "outcome"]],
        "enrich": ["MappedOperator", ["compact_again", "outcome"]],
        "compact_again": ["Stage", ["outcome", "tiles"]],
        "tiles": ["MappedOperator", ["backup", "outcome"]],
        "backup": ["Stage", ["outcome"]],
        "outcome": ["_PythonDecoratedOperator", []],
    }
    assert found["schedule"] == ["0 5 * * *", "Europe/Madrid"]
    assert (found["catchup"], found["at once"]) == (False, [1, 1])
    assert found["tags"] == ["tracklake"]
    assert "scripts/flow.sh" in found["doc"]


def test_each_exit_code_has_its_reaction(place: Place) -> None:
    """2, 3 and 4 are final; 75 waits evenly and long; anything else is tried 4 times in all."""
    found = place.ask(_REACTIONS, "0", "1", "2", "3", "4", "75", "143")
    final = ["AirflowFailException"]
    assert [one[:1] for code in "234" for one in found[code]] == [final] * 3
    assert "needs a new login: it said so" in found["3"][0][1]
    assert found["75"] == [["LockHeld", "it said so", *["retry"] * 3, 2.0, 2.0, 2.0]]
    for code in ("1", "143"):
        failed = ["StageFailed", "it said so", "default", "fail", "fail", None, None, None]
        assert found[code] == [failed]
    assert found["0"] == [[]]


def test_two_athletes_retries_and_a_login_that_ran_out(place: Place) -> None:
    """A held lock and a failure are tried again, a login is not: it stops nobody, the run fails."""
    place.stand_in(pull_ann="75 0", pull_bob="3", enrich_bob="3", tiles_ann="1 1 0")
    place.airflow("variables", "set", "tracklake_athletes", "ann, bob")
    done = place.airflow("dags", "test", "tracklake_flow")
    calls = place.calls()
    assert sorted(calls[:3]) == ["pull-ann", "pull-ann", "pull-bob"], done.stdout
    assert calls[3] == "compact"
    assert sorted(calls[4:6]) == ["enrich-ann", "enrich-bob"]
    assert calls[6] == "compact"
    assert sorted(calls[7:11]) == ["tiles-ann", "tiles-ann", "tiles-ann", "tiles-bob"]
    assert calls[11:] == ["backup"]
    state, tasks = place.run()
    assert state == "failed"
    assert tasks["pull"] == tasks["enrich"] == ["success", "failed"]
    assert tasks["backup"] == ["success"]
    assert tasks["outcome"] == ["failed"]


def test_failed_checks_leave_the_map_alone(place: Place) -> None:
    """After code 4 nothing is tried again, nothing is drawn, and the originals are backed up."""
    place.stand_in(compact="4")
    done = place.airflow("dags", "test", "tracklake_flow", TRACKLAKE_ATHLETES="")
    assert place.calls() == ["pull", "compact", "backup"], done.stdout
    state, tasks = place.run()
    assert state == "failed"
    assert tasks["enrich"] == tasks["compact_again"] == tasks["tiles"] == ["upstream_failed"]


def test_what_is_killed_is_asked_to_stop(place: Place) -> None:
    """A task that Airflow ends asks its command to stop, and waits for what it has to tidy."""
    place.stand_in()
    script = place.project / "scripts" / "flow.sh"
    work = "trap 'echo tidied; exit 143' TERM; echo >told; while :; do sleep 0.05; done"
    script.write_text(f"#!/bin/sh\n{work}\n", encoding="utf-8")
    subprocess.run(["mkfifo", place.project / "told"], check=True)
    assert place.ask(_KILL, str(place.project / "told")) == ["tidied"]


def test_a_flow_of_two_athletes(place: Place, corpus: Path) -> None:
    """With the real stages: it waits for a held lock, then each athlete's file is in the warehouse.

    No source has more to say of files: there is nothing to enrich, and the run is a success.
    """
    place.real()
    for athlete, name in zip(("ann", "bob"), RIDES, strict=True):
        inbox = place.project / "data" / "inbox" / f"athlete={athlete}"
        inbox.mkdir(parents=True)
        (file,) = corpus.rglob(f"adriangibbons*/**/{name}")
        shutil.copy(file, inbox)
    surroundings = place.environment(
        RUNNER="local",
        TRACKLAKE_ATHLETES="ann bob",
    )
    data = place.project / "data"
    with subprocess.Popen(
        [AIRFLOW / "airflow", "dags", "test", "tracklake_flow"],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        said = []
        with lock.held(data / "state"):
            for line in running.stdout:
                said.append(line)
                if "Retry policy decision" in line:
                    break
        said += list(running.stdout)
    state, tasks = place.run()
    assert state == "success", "".join(said)
    assert tasks["enrich"] == ["success", "success"]
    assert tasks["outcome"] == ["skipped"]
    with duckdb.connect(str(data / "warehouse" / "tracklake.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("select athlete, count(*) from activities group by 1 order by 1")
        assert rows.fetchall() == [("ann", 1), ("bob", 1)]
    for athlete in ("ann", "bob"):
        assert (data / "tiles" / f"athlete={athlete}" / "manifest.json").is_file()
    assert list((data / "backups").iterdir())
