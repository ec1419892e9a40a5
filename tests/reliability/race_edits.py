"""What may happen to an account at any moment: the edits that random histories are made of."""

import datetime as dt
from collections.abc import Callable

from tests.upstream.account import Account
from tests.upstream.activities import Payload

EDITS: tuple[Callable[[int], Payload], ...] = (
    lambda n: {"name": f"Name {n % 5}"},  # few names: some edits undo others
    lambda n: {"sport_type": ("Run", "Ride", "Walk")[n % 3]},
    lambda n: {"gear_id": f"g{n}"},
    lambda n: {"commute": bool(n % 2), "trainer": bool(n % 3)},
    lambda n: {"average_heartrate": None if n % 2 else 100.0 + n / 10},
)
UPLOADS = ("upload", "late", "twin")
OF_ONE = ("delete", "privatise", "publicise", "kudos", "edit", "crop", "move", "reupload")
KINDS = (*UPLOADS, *OF_ONE, "delete_many")
_MANY = 8  # above what a listing may call gone at once


def change(account: Account, kind: str, number: int) -> set[int]:
    """Let something happen that `number` (0 to 199) chooses; return the ids that it touched."""
    there = sorted(one for one, item in account.items.items() if not item.deleted)
    if kind in UPLOADS:
        return {_uploaded(account, kind, number, there)}
    if kind == "delete_many":
        chosen = there[number % 3 :][:_MANY]
        for one in chosen:
            account.delete(one)
        return set(chosen)
    return _changed(account, kind, there[number % len(there)], number) if there else set()


def _uploaded(account: Account, kind: str, number: int, there: list[int]) -> int:
    """Add an activity: of now, of up to 100 days ago, or with the start of another one."""
    if kind == "twin" and there:
        start = account.items[there[number % len(there)]].start
        return account.upload(start, private=number % 5 == 0)
    days = number / 2 if kind == "late" else 0.0
    return account.late_upload(days=days, private=number % 5 == 0)


def _changed(account: Account, kind: str, one: int, number: int) -> set[int]:
    item = account.items[one]
    if kind == "reupload":
        return {one, account.reupload(one)}
    if kind == "edit":
        account.edit(one, **EDITS[number % len(EDITS)](number))
    elif kind == "move":
        moved = item.start + dt.timedelta(seconds=(number - 100) * 40_000)
        account.edit(one, start=min(moved, account.clock.now()))
    elif kind == "crop":  # the first minute and what was run in it
        kept = {name: item.fields[name] * 0.9 for name in ("distance",)}
        times = {name: int(item.fields[name] * 0.9) for name in ("moving_time", "elapsed_time")}
        account.edit(one, start=item.start + dt.timedelta(seconds=60), **kept, **times)
    else:
        getattr(account, kind)(one)
    return {one}
