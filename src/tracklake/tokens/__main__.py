"""The refresher: a job as JSON on standard input, its outcome as JSON on standard output.

The secrets come in by neither arguments nor environment, which other processes can read.
"""

import contextlib
import os
import signal
import sys

import orjson

from tracklake.client import Client
from tracklake.clock import SystemClock
from tracklake.errors import Error
from tracklake.tokens.file import Token
from tracklake.tokens.job import Job, job_from
from tracklake.tokens.refresh import refresh


def main() -> int:
    """Do one job; whoever asked for it may be gone by then."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    data = sys.stdin.buffer.read()
    try:
        job = job_from(data)
    except orjson.JSONDecodeError:  # whoever started this was killed before it had said what to do
        return 2
    said = orjson.dumps(_outcome(job))
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more; the token is kept
        os.write(sys.stdout.fileno(), said)
    return 0


def _outcome(job: Job) -> dict[str, object]:
    try:
        with contextlib.closing(Client(SystemClock())) as client:
            result = refresh(job, client)
    except Error as error:
        return {"error": type(error).__name__, "message": str(error)}
    except OSError as error:
        text = f"the login {job.path} cannot be kept ({error}); is the disk full, or read-only?"
        return {"error": "StorageError", "message": text}
    return {"token" if isinstance(result, Token) else "refusal": result}


if __name__ == "__main__":
    sys.exit(main())
