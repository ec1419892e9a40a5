"""A company's own certificate authority: told apart from a stranger's, mounted or built in."""

import subprocess
from pathlib import Path

import pytest

from tests.docker import engine
from tests.docker.conftest import MakePlace
from tests.docker.place import Place, own_tree

_ADDRESS = "https://strava:8443"


@pytest.fixture(scope="module")
def authority(home: Path) -> Path:
    """Return a folder with an authority, ca.pem, and what a server of it needs, in served."""
    folder = home / "certificates"
    folder.mkdir()

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl(
        *("req", "-x509", *key, "-subj", "/CN=A Company", "-keyout", "ca.key", "-out", "ca.pem"),
        *("-addext", "keyUsage=critical,keyCertSign"),
    )
    openssl(
        *("req", "-x509", *key, "-subj", "/CN=strava", "-keyout", "key.pem", "-out", "server.pem"),
        *("-addext", "subjectAltName=DNS:strava", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", "ca.pem", "-CAkey", "ca.key"),
    )
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("server.pem", "key.pem")]
    served = folder / "served"
    served.mkdir()
    (served / "strava.pem").write_text("".join(texts), encoding="utf-8")
    (served / "strava.pem").chmod(0o644)
    own_tree(folder)
    return folder


@pytest.fixture(scope="module")
def place(make_place: MakePlace, authority: Path) -> Place:
    """Return a place whose Strava answers with the company's certificate."""
    found = make_place()
    found.override({"strava": found.simulator(2, certificate=authority / "served")})
    found.start_simulator(_ADDRESS)
    return found


def test_a_stranger_is_not_trusted(place: Place) -> None:
    """Without the authority the pull fails, says that it is the certificate, and what to set."""
    done = place.job("pull")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "certificate" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_authority_can_be_mounted(place: Place, authority: Path) -> None:
    """With its bundle mounted and named, the same image reaches the same server."""
    bundle = authority / "ca.pem"
    done = place.dc(
        *("run", "--rm", "-T", "-v", f"{bundle}:/run/company.pem:ro"),
        *("-e", "REQUESTS_CA_BUNDLE=/run/company.pem", "pull"),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_authority_can_be_built_in(place: Place, authority: Path) -> None:
    """`make build` with TRACKLAKE_CA_BUNDLE makes an image that trusts it, with no mount."""
    image = f"{place.image.removesuffix(':latest')}-company:latest"
    trusting = {"TRACKLAKE_IMAGE": image}
    try:
        built = place.make("build", TRACKLAKE_CA_BUNDLE=str(authority / "ca.pem"), **trusting)
        assert built.returncode == 0, built.stdout + built.stderr
        done = place.dc("run", "--rm", "-T", "pull", **trusting)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        engine.docker("image", "rm", "-f", image)
