"""The image: how large it is, what is in it, how fast it is made anew."""

import json
import re
import time
from collections.abc import Callable

from tests.docker import engine
from tests.docker.place import Place, own

Measured = Callable[[str], None]

_MOST_MB = 450
_REBUILT_WITHIN_S = 60  # it takes less than 10; this machine may be busy


def test_the_image_is_small(built: Place, measured: Measured) -> None:
    """`make build` in a fresh copy of the project makes an image of less than 450 MB."""
    size = int(engine.docker("image", "inspect", "-f", "{{.Size}}", built.image).stdout)
    measured(f"the image has {size / 1e6:.0f} MB")
    assert size < _MOST_MB * 1e6


def test_the_image_has_a_person_labels_and_a_health_check(built: Place) -> None:
    """Its default user is not root, and it says what it is and how to ask whether it is well."""
    inspected = json.loads(engine.docker("image", "inspect", built.image).stdout)[0]["Config"]
    assert inspected["User"].split(":")[0] not in ("", "0", "root")
    assert {"org.opencontainers.image.title", "org.opencontainers.image.licenses"} <= set(
        inspected["Labels"]
    )
    assert inspected["Healthcheck"]["Test"][0] == "CMD"


def test_no_compiler_and_no_second_tippecanoe_is_left(built: Place) -> None:
    """There is no compiler, no uv, no make in it; tippecanoe is Debian's."""
    script = "command -v cc gcc g++ uv make git; command -v tippecanoe; tippecanoe --version"
    run = ("run", "--rm", "--network=none", "--entrypoint", "sh")
    done = engine.docker(*run, built.image, "-c", script)
    assert (done.stdout + done.stderr).splitlines()[0] == "/usr/bin/tippecanoe", done.stdout


def test_the_image_works_without_compose(built: Place) -> None:
    """Plain `docker run IMAGE --help` says what there is."""
    done = engine.docker("run", "--rm", "--network=none", "--read-only", built.image, "--help")
    assert done.returncode == 0
    assert "flow" in done.stdout


def test_a_change_of_the_source_rebuilds_little(built: Place, measured: Measured) -> None:
    """After a change of one module the packages come from the cache, and it takes seconds."""
    module = built.folder / "src" / "tracklake" / "__init__.py"
    before = module.read_text(encoding="utf-8")
    module.write_text(before + "\n# changed\n", encoding="utf-8")
    own(module)
    started = time.monotonic()
    done = built.make("build")
    took_s = time.monotonic() - started
    measured(f"a source-only rebuild took {took_s:.1f} s")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert took_s < _REBUILT_WITHIN_S
    steps = re.findall(r"^(#\d+) \[packages ", said, re.MULTILINE)
    assert steps
    assert all(f"{step} CACHED" in said for step in steps), said
    changed = engine.docker("image", "inspect", "-f", "{{.Id}}", built.image).stdout.strip()
    module.write_text(before, encoding="utf-8")
    assert built.make("build").returncode == 0  # all from the cache: the image of before
    engine.docker("image", "rm", changed)
