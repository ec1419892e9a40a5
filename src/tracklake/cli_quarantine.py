"""How what was set aside looks on a terminal: cause, tries, next try, and the command for each."""

from collections import Counter
from typing import Any

import orjson
import typer

from tracklake.cli_show import plain

_ID_CHARACTERS = 12  # enough to tell one from the other


def show(items: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print what is set aside."""
    if as_json:
        rows = [{**item, "retry": _command("retry", item)} for item in items]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    if not items:
        typer.echo("nothing is set aside")
        return
    causes = Counter(f"{item['reason']} ({item['error_class']})" for item in items)
    told = ", ".join(f"{count}× {cause}" for cause, count in causes.most_common())
    typer.echo(f"{len(items)} set aside: {told}")
    for item in items:
        _show_one(item)
    typer.echo("\nall of them again: tracklake quarantine retry all")


def _show_one(item: dict[str, Any]) -> None:
    typer.echo(f"\n{item['item_id'][:_ID_CHARACTERS]}  {plain(item['item'])}")
    typer.echo(f"    {item['reason']} ({item['error_class']}): {plain(item['message'])}")
    first, last = (_moment(item[name]) for name in ("first_seen_at", "last_seen_at"))
    typer.echo(f"    tried {item['attempts']}×, first {first}, last {last}; {_again(item)}")
    where = f"kept as {item['location']}" if item["location"] else "it lies where it lay"
    typer.echo(f"    {where}")
    typer.echo(f"    {_command('retry', item)}  (or drop)")


def _again(item: dict[str, Any]) -> str:
    if item["state"] == "due":
        return "due: the next flow tries it"
    if item["state"] == "dead":
        return "dead: no more tries by itself"
    return f"next try {_moment(item['next_try_at'])}"


def _moment(text: object) -> str:
    return f"{str(text)[:16].replace('T', ' ')} UTC"


def _command(word: str, item: dict[str, Any]) -> str:
    return f"tracklake quarantine {word} {item['item_id'][:_ID_CHARACTERS]}"
