"""What a person answers when a login was granted in the browser: how it comes, what it says."""

import queue
import re
import secrets
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tracklake.errors import AuthError
from tracklake.tokens import redirect

_LISTEN_S = 900.0


def code_from(text: str, state: str, *, title: str, advice: str) -> tuple[str, str | None]:
    """Read a code, and the scopes granted if they are said, from an address or a bare code.

    title: what a person calls the service; advice: how to log in. Raises AuthError where it is no
    answer, the answer to another question, or a no.
    """
    text = text.strip().strip("<>\"'")
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return text, None
    fields = parse_qs(urlsplit(text).query or text.lstrip("?"))
    said = {name: values[0] for name, values in fields.items()}
    if said.get("error") == "access_denied":
        raise AuthError(f"you did not let Tracklake read your {title} account; to do so, {advice}")
    if "error" in said:
        raise AuthError(f"{title} refused the login ({said['error']:.80}); {advice} again")
    if not said.get("code"):
        raise AuthError(
            f"there is no code in what was pasted; {advice} and paste the whole address"
        )
    if not secrets.compare_digest(said.get("state", "").encode(), state.encode()):
        raise AuthError(
            f"this address answers another login than the one begun now; {advice} again"
        )
    return said["code"], said.get("scope")


def first_answer(redirect_uri: str, bind: str, ask: Callable[[], str]) -> str:
    """Wait for the browser or a pasted line, whichever comes first; empty if neither comes.

    redirect_uri: where the browser is sent; bind: where to listen for it. `ask` returns a pasted
    line, or "" when none will come.
    """
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    for source in (ask, lambda: redirect.listen(redirect_uri, _LISTEN_S, bind) or ""):
        threading.Thread(target=_put, args=(source, came), daemon=True).start()
    return came.get() or came.get()


def _put(source: Callable[[], str], came: "queue.SimpleQueue[str]") -> None:
    answer = ""
    try:
        answer = source().strip()
    except (EOFError, OSError):
        pass  # nobody can type here
    finally:
        came.put(answer)
