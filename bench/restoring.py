"""How long a restore takes, beside a plain copy with hashes: `python -m bench.restoring`."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.test_backup import Lake

from tracklake.errors import StorageError

_FILES, _FILE_BYTES, _TIMES = 100, 1_000_000, 3


def main() -> None:
    """Print seconds for 100 MB, ours and of `cp -r` with `sha256sum`, the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        lake.grow(1)
        for number in range(_FILES):
            lake.put(lake.folders.bronze / f"{number}.bin", os.urandom(_FILE_BYTES))
        lake.create()
        lake.session.state.close()
        ours, plain = [], []
        for number in range(_TIMES):
            began = time.monotonic()
            proof = lake.restore_to(Path(folder) / f"restored-{number}")
            ours.append(time.monotonic() - began)
            began = time.monotonic()
            _copy(lake.folders.data, Path(folder) / f"copy-{number}")
            plain.append(time.monotonic() - began)
        if proof.size_bytes < _FILES * _FILE_BYTES:
            raise StorageError("the restore is not whole")
    per_s = [min(one) * 100e6 / proof.size_bytes for one in (ours, plain)]
    sys.stdout.write(
        f"restore {per_s[0]:.2f} s per 100 MB, cp -r and sha256sum {per_s[1]:.2f} s, "
        f"ratio {per_s[0] / per_s[1]:.1f}\n"
    )


def _copy(data: Path, target: Path) -> None:
    """Copy what a backup holds, have it on disk, and hash it."""
    target.mkdir()
    parts = [data / name for name in ("bronze", "streams", "tracks", "warehouse", "state")]
    subprocess.run(["cp", "-r", *(one for one in parts if one.exists()), target], check=True)
    os.sync()
    command = f"find '{target}' -type f -print0 | xargs -0 sha256sum > /dev/null"
    subprocess.run(["sh", "-c", command], check=True)


if __name__ == "__main__":
    main()
