"""The simulator for other processes: the same service, and /control to move and break it."""

import json
from collections.abc import Callable
from typing import Any

from tests.upstream import content_faults, paging_faults, status_faults, transport_faults
from tests.upstream.calls import Answer, Call
from tests.upstream.faults import Fault, send_well
from tests.upstream.strava import StravaUpstream
from tests.upstream.wire import Wire

KINDS: dict[str, Callable[..., Fault]] = {
    name: kind
    for module in (transport_faults, status_faults, paging_faults, content_faults)
    for name, kind in vars(module).items()
    if callable(kind)
    and not name.startswith("_")
    and getattr(kind, "__module__", "") == module.__name__
}


class ControlledStrava(StravaUpstream):
    """Adds what is neither logged nor counted.

    POST /control/advance {"seconds": 3600}
    POST /control/upload {"sport_type": "Run", "name": "…", "days_ago": 3}      -> {"id": …}
    POST /control/edit {"id": …, "name": "…"}
    POST /control/delete | privatise | publicise {"id": …}
    POST /control/kudos {"id": …, "more": 2}
    POST /control/fault {"kind": "Observed", "arguments": {"error": "overall"}, "times": 1,
                         "at": 7, "path": "/streams$", "ids": […], "p": 0.5}
    GET  /control/uploads                                                        what was taken
    POST /control/clear {}                                                       no faults any more
    GET  /control/calls                                                          the call log
    GET  /control/visible                                                        the ids to end with
    """

    def exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes, wire: Wire
    ) -> None:
        """Answer /control here, everything else as the service."""
        if not target.startswith("/control/"):
            super().exchange(method, target, headers, body, wire)
            return
        call = Call(0, method, target, {}, {}, headers, self.moment())
        try:
            given = json.loads(body or b"{}")
            with self.lock:
                answer = Answer(payload=self._control(target.removeprefix("/control/"), given))
        except (KeyError, TypeError, ValueError) as mistake:
            answer = Answer(400, {"message": repr(mistake)})
        send_well(wire, answer, call)

    def _control(self, action: str, given: dict[str, Any]) -> object:
        if action == "calls":
            return [
                {"number": call.number, "line": call.line(), "faults": call.faults}
                for call in self.calls
            ]
        if action == "visible":
            return sorted(self.visible_set())
        if action == "uploads":
            return [
                {"id": one.id, "fields": one.fields, "activity_id": one.activity_id}
                for one in self.uploads.uploads.values()
            ]
        if action == "fault":
            return self._plan(**given)
        return self._change(action, given)

    def _plan(
        self, kind: str, arguments: dict[str, Any] | None = None, **when: Any
    ) -> dict[str, str]:
        self.script.add(KINDS[kind](**(arguments or {})), **when)
        return {"planned": kind}

    def _change(self, action: str, given: dict[str, Any]) -> dict[str, object]:
        account = self.account
        activity_id = given.pop("id", None)
        if action == "upload":
            return {"id": account.late_upload(given.pop("days_ago", 0.0), id=activity_id, **given)}
        actions: dict[str, Callable[[], object]] = {
            "advance": lambda: self.clock.advance(given["seconds"]),
            "edit": lambda: account.edit(activity_id, **given),
            "delete": lambda: account.delete(activity_id),
            "privatise": lambda: account.privatise(activity_id),
            "publicise": lambda: account.publicise(activity_id),
            "kudos": lambda: account.kudos(activity_id, given.get("more", 1)),
            "clear": self.script.clear,
        }
        actions[action]()
        return {"done": action, "now": self.moment().isoformat()}
