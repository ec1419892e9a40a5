"""A checkout with a stand-in for `docker`: what make and the scripts ask it for can be seen."""

import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_SCRIPTS = (
    "build", "dc.sh", "doctor_host", "duck", "latest_log", "run", "service", "settings.sh",
)  # fmt: skip

# A docker that answers what the scripts ask the engine, and records everything else.
DOCKER = r"""#!/bin/sh
folder=${0%/*}
touch "$folder/called"
case "$*" in
  "version -f "*) test ! -e "$folder/no-engine"; exit ;;
  "info -f "*)
    if [ -e "$folder/no-engine" ]; then cat "$folder/no-engine" >&2; exit 1; fi
    cat "$folder/security" 2>/dev/null || echo '[name=seccomp]'; exit ;;
  "compose version"*) test ! -e "$folder/no-compose" && echo 2.26.1; exit ;;
  "image inspect "*) cat "$folder/image" 2>/dev/null; exit ;;
  "build "*) echo >"$folder/image" ;;
esac
for argument in "$@"; do printf '%s\0' "$argument"; done >>"$folder/asked"
printf '\n' >>"$folder/asked"
env >"$folder/environment"
exit "$(cat "$folder/code" 2>/dev/null || echo 0)"
"""


def executable(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


class Checkout:
    """A copy of the files that decide what runs where, with a stand-in for docker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        for name in ("Makefile", ".env.example", "pyproject.toml", "Dockerfile"):
            shutil.copy(REPOSITORY / name, folder)
        for name in _SCRIPTS:
            (folder / "scripts").mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / "scripts" / name, folder / "scripts")
        for name in ("docker", "src"):
            (folder / name).mkdir()
        executable(folder / "scripts" / "venv", "#!/bin/sh\n")
        executable(folder / ".venv" / "bin" / "tracklake", '#!/bin/sh\necho "local: $*"\n')
        executable(self.bin / "docker", DOCKER)
        (self.bin / "image").write_text("unknown\n")

    def run(self, *command: str, text: str = "", **environment: str) -> "Done":
        """Run a command here; what it asked docker for last is in the answer."""
        for name in ("asked", "environment", "called"):
            (self.bin / name).unlink(missing_ok=True)
        path = os.environ["PATH"]  # noqa: TID251 a child needs it
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": f"{self.bin}:{path}", "HOME": str(self.folder)} | environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(self, done)


class Done:
    """What a command did: its code and words, and what docker was asked."""

    def __init__(self, checkout: Checkout, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        asked = checkout.bin / "asked"
        calls = asked.read_text(encoding="utf-8").split("\0\n") if asked.exists() else [""]
        self.calls = [call.split("\0") for call in calls if call]
        self.called = (checkout.bin / "called").exists()
        seen = checkout.bin / "environment"
        lines = seen.read_text(encoding="utf-8").splitlines() if seen.exists() else []
        self.environment = dict(line.split("=", 1) for line in lines if "=" in line)
