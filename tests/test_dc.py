"""scripts/dc.sh: what it sets and makes for compose, and what it says is missing."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.docker_stand_in import DOCKER, REPOSITORY, Checkout, executable


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout whose engine answers and whose image is there."""
    return Checkout(tmp_path)


def _job(*arguments: str) -> list[str]:
    return ["compose", "run", "-T", "--rm", *arguments]


def test_containers_get_your_ids(checkout: Checkout) -> None:
    """What a container writes belongs to whoever called make."""
    seen = checkout.run("scripts/dc.sh", "run", "flow").environment
    assert (seen["HOST_UID"], seen["HOST_GID"]) == (str(os.getuid()), str(os.getgid()))


def test_under_a_rootless_engine_you_are_root_inside(checkout: Checkout) -> None:
    """There id 0 inside is the user outside, and any other id is nobody's."""
    (checkout.bin / "security").write_text("[name=seccomp name=rootless]")
    seen = checkout.run("scripts/dc.sh", "run", "flow").environment
    assert (seen["HOST_UID"], seen["HOST_GID"]) == ("0", "0")


def test_a_missing_image_is_made(checkout: Checkout) -> None:
    """`make flow` from a clone makes the image first and says that it does."""
    (checkout.bin / "image").unlink()
    executable(
        checkout.bin / "docker",
        DOCKER.replace(
            'cat "$folder/image" 2>/dev/null; exit',
            'cat "$folder/image" 2>/dev/null || exit 1; exit',
        ),
    )
    done = checkout.run("make", "flow")
    assert "making the image tracklake:latest" in done.err
    assert [call[0] for call in done.calls] == ["build", "compose"]


def test_an_image_of_other_sources_is_noticed(checkout: Checkout) -> None:
    """After an update the note says that the image is still the old one; it runs nevertheless."""
    (checkout.bin / "image").write_text("1-2\n")
    done = checkout.run("make", "flow")
    assert "make build" in done.err
    assert done.calls == [_job("flow")]


def _label(checkout: Checkout) -> str:
    made = checkout.run("scripts/dc.sh", "build").calls[0]
    return next(word for word in made if word.startswith("SOURCE_DIGEST=")).split("=")[1]


def test_an_image_of_these_sources_is_not(checkout: Checkout) -> None:
    """Right after `make build` there is nothing to note, and a changed source is noticed."""
    (checkout.bin / "image").write_text(_label(checkout) + "\n")
    assert checkout.run("make", "flow").err == ""
    (checkout.folder / "src" / "new.py").write_text("x = 1\n")
    assert "make build" in checkout.run("make", "flow").err


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("permission denied while trying to connect", "usermod -aG docker"),
        ("Cannot connect to the Docker daemon", "no Docker engine answers"),
    ],
)
def test_an_engine_that_does_not_answer_is_named(
    checkout: Checkout, said: str, sentence: str
) -> None:
    """Each reason is one sentence with what to do."""
    (checkout.bin / "no-engine").write_text(said)
    done = checkout.run("make", "flow", "RUNNER=docker")
    assert sentence in done.err
    assert (done.err.count("tracklake: "), done.calls) == (1, [])


def test_a_missing_docker_is_named(checkout: Checkout) -> None:
    """Who asks for docker and has none is told both ways out."""
    (checkout.bin / "docker").unlink()
    done = checkout.run("/bin/bash", "scripts/dc.sh", "run", "flow", PATH=_without_docker(checkout))
    assert "there is no docker command here" in done.err
    assert "RUNNER=local" in done.err


def _without_docker(checkout: Checkout) -> str:
    """Return a folder with the few programs that the scripts need before they look for docker."""
    tools = checkout.folder / "tools"
    tools.mkdir()
    for name in ("dirname", "sed", "tail", "tr", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    return str(tools)


def test_a_missing_compose_is_named(checkout: Checkout) -> None:
    """An engine without compose is no riddle."""
    (checkout.bin / "no-compose").touch()
    executable(checkout.bin / "docker-compose", "#!/bin/sh\nexit 1\n")
    (checkout.bin / "docker-compose").unlink()
    done = checkout.run("scripts/dc.sh", "run", "flow")
    assert "compose" in done.err
    assert done.code == 1


@pytest.mark.parametrize("version", ["2.26.1", "1.29.2"])
def test_the_older_command_serves_too(checkout: Checkout, version: str) -> None:
    """Compose as a command of its own is called; version 1 gets a file without words it lacks."""
    (checkout.bin / "no-compose").touch()
    answer = f'case "$*" in "version --short") echo {version}; exit ;; esac\n'
    executable(checkout.bin / "docker-compose", DOCKER.replace("\n", "\n" + answer, 1))
    shutil.copy(REPOSITORY / "docker-compose.yml", checkout.folder)
    [call] = checkout.run("scripts/dc.sh", "ps").calls
    adapted = checkout.folder / "build" / "docker-compose-1.yml"
    assert (call[-1], "--file" in call) == ("ps", version == "1.29.2")
    assert adapted.exists() == (version == "1.29.2")
    assert not adapted.exists() or "create_host_path" not in adapted.read_text("utf-8")


def test_the_folders_are_made(checkout: Checkout) -> None:
    """Nothing is left for the engine to make as root; secrets are for one's own eyes."""
    checkout.run("scripts/dc.sh", "run", "flow")
    made = {path.name for path in checkout.folder.iterdir() if path.is_dir()}
    assert {"data", "secrets", "logs", "cron"} <= made
    assert stat.S_IMODE((checkout.folder / "secrets").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(checkout: Checkout) -> None:
    """The sentence names the setting and the folder, and nothing is started."""
    done = checkout.run("scripts/dc.sh", "run", "flow", TRACKLAKE_LOGS_DIR="/proc/nowhere")
    assert "TRACKLAKE_LOGS_DIR: the folder /proc/nowhere" in done.err
    assert (done.code, done.calls) == (1, [])


def test_folders_elsewhere_are_mounted_under_their_own_names(checkout: Checkout) -> None:
    """The warehouse names its files so that a reader on the host finds them too."""
    elsewhere = checkout.folder / "other" / "place"
    (checkout.folder / ".env").write_text(f"TRACKLAKE_DATA_DIR={elsewhere}\r\n")
    seen = checkout.run("scripts/dc.sh", "run", "flow").environment
    assert seen["TRACKLAKE_DATA_DIR"] == seen["TRACKLAKE_DATA_TARGET"] == str(elsewhere)
    assert seen["TRACKLAKE_INBOX"] == str(elsewhere / "inbox")


def test_the_usual_folders_keep_their_short_names(checkout: Checkout) -> None:
    """In the container it is `data`, as it is on the host."""
    seen = checkout.run("scripts/dc.sh", "run", "flow").environment
    assert "TRACKLAKE_DATA_TARGET" not in seen
    assert seen["TRACKLAKE_DATA_DIR"] == str(checkout.folder / "data")


@pytest.mark.parametrize(
    ("url", "network", "target"),
    [
        ("", None, None),
        ("s3://bucket/prefix", "bridge", None),
        ("{}/nas", None, "{}/nas"),
        ("file://{}/nas", None, "{}/nas"),
    ],
)
def test_backups_get_a_network_only_for_a_store_elsewhere(
    checkout: Checkout, url: str, network: str | None, target: str | None
) -> None:
    """A folder is mounted, an S3 store is reached, and by default neither is needed."""
    here = str(checkout.folder)
    (checkout.folder / "nas").mkdir()
    seen = checkout.run(
        "scripts/dc.sh", "run", "backup", TRACKLAKE_BACKUP_URL=url.format(here)
    ).environment
    assert seen.get("TRACKLAKE_BACKUP_NETWORK") == network
    assert seen.get("TRACKLAKE_BACKUP_TARGET") == (target and target.format(here))


def test_settings_of_the_shell_go_along_by_name(checkout: Checkout) -> None:
    """A secret of the shell reaches the job, and no list of processes shows it."""
    done = checkout.run("scripts/dc.sh", "run", "flow", STRAVA_CLIENT_ID="hush")
    assert done.calls == [["compose", "run", "-T", "-e", "STRAVA_CLIENT_ID", "flow"]]
    assert done.environment["STRAVA_CLIENT_ID"] == "hush"


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        ("STRAVA_CLIENT_SECRET=a$b", True),
        ('STRAVA_CLIENT_SECRET="a$b"', True),
        ("STRAVA_CLIENT_SECRET='a$b'", False),
        ("STRAVA_CLIENT_SECRET=ab # costs $5", False),
        ("# STRAVA_CLIENT_SECRET=$", False),
    ],
)
def test_a_value_that_compose_would_change_is_refused(
    checkout: Checkout, line: str, is_refused: bool
) -> None:
    """A dollar in .env is never replaced in silence; between single quotes it is kept."""
    (checkout.folder / ".env").write_text(line + "\n")
    done = checkout.run("scripts/dc.sh", "run", "flow")
    assert ("STRAVA_CLIENT_SECRET has a $" in done.err, done.code) == (is_refused, int(is_refused))


def test_a_backup_disk_that_is_not_mounted_is_named(checkout: Checkout) -> None:
    """A chosen folder is never made here: backups would fill the wrong disk."""
    place = checkout.folder / "nas"
    done = checkout.run("scripts/dc.sh", "run", "backup", TRACKLAKE_BACKUP_URL=str(place))
    assert f"there is no folder {place}" in done.err
    assert (done.code, place.exists()) == (1, False)
