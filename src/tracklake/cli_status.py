"""How the status looks on a terminal."""

import datetime as dt
from typing import Any

import typer

from tracklake.cli_show import plain

_MARKS = {
    "completed": "✓",
    "completed_with_errors": "!",
    "waiting_quota": "…",
    "needs_auth": "?",
    "failed": "✗",
    "retrying": "↻",
}
_LEGEND = "! items set aside, … waits for a quota, ? needs a login, ✗ failed, ↻ taken up again"
_TITLES = {"garmin": "Garmin", "intervals": "intervals.icu", "smashrun": "SmashRun"}


def status(found: dict[str, Any]) -> None:
    """Print the present and the last sessions."""
    alerts(found["alerts"])
    gold = found["warehouse"]
    if gold is None:
        typer.echo(f"no warehouse yet; put files into {found['folders']['inbox']}: tracklake flow")
    elif "error" in gold:
        typer.echo(gold["error"])
    else:
        published = dt.datetime.fromtimestamp(gold["published_at_unix_s"], dt.UTC)
        typer.echo(
            f"{gold['activities']:,} activities, {gold['distance_km']:,} km, "
            f"{gold['first_activity']} to {gold['last_activity']}\n"
            f"published {published:%Y-%m-%d %H:%M} UTC: {found['folders']['warehouse']}"
        )
    _sources(found)
    switch = "" if found["weather_is_on"] else " (TRACKLAKE_WEATHER is off)"
    _enriched("weather", found["weather"], f"By Open-Meteo.com{switch}")
    _enriched("places", found["places"], "GeoNames, © OpenStreetMap contributors")
    _backup(found["backup"])
    if found["quarantine"]["count"]:
        typer.echo(f"{found['quarantine']['count']} items set aside: tracklake quarantine list")
    if found["running"]:
        _at_work(found["running"])
    if found["sessions"]:
        marks = " ".join(_MARKS.get(str(one["state"]), "▸") for one in found["sessions"])
        typer.echo(f"last runs, newest first: {marks}   ({_LEGEND})")
    for session in found["sessions"][:10]:
        who = "" if session["athlete"] == found["athlete"] else f"{session['athlete']}: "
        said = f"{session['state']:<21} {who}{_session(session)}"
        typer.echo(f"{str(session['started_at'])[:19]}  {said}")
        if session["error"]:
            typer.echo(f"    {plain(session['error'])}")


def _backup(known: dict[str, Any] | None) -> None:
    """Say how it stands with the backups, if any was ever made."""
    if known is None:
        return
    last, verified, drilled = known["last"], known["verified"], known["drilled"]
    said = f"the last of {_moment(last['at'])}, {last['count']} in all" if last else "none yet"
    said += f"; verified {_moment(verified['at'])}" if verified else "; never verified"
    said += f"; restored on trial {_moment(drilled['at'])}" if drilled else "; never tried"
    typer.echo(f"backups: {said}")
    for trouble in known["troubles"]:
        typer.echo(f"    {plain(trouble)}")


def alerts(found: list[dict[str, Any]]) -> None:
    """Print what fires."""
    for one in found:
        since = _moment(one["since"])
        typer.echo(f"{one['severity'].upper()}: {plain(one['message'])} (since {since})")
        typer.echo(f"    {plain(one['advice'])}")


def _at_work(session: dict[str, Any]) -> None:
    """Say what runs now, how many calls it made and when it will be done."""
    calls = f", {session['calls']:,} calls" if session["calls"] else ""
    until = session["expected_at"]
    done = f", this phase done about {_moment(until)}" if until else ""
    typer.echo(f"running now ({session['state']}): {_session(session)}{calls}{done}")


def _sources(found: dict[str, Any]) -> None:
    """Say how much of each service is here, and which is left alone because it fails."""
    for one in found["breakers"]:
        typer.echo(f"{one['source']} is left alone: it fails {plain(one['said'])}")
    if found["strava"]:
        _strava(found["strava"])
    for name, known in found["sources"].items():
        rest = f"{known['to_fetch']:,} to fetch" if known["to_fetch"] else "all fetched"
        typer.echo(f"{_TITLES[name]}: {known['activities']:,} activities, {rest}")
    _garmin(found["garmin"])


def _enriched(name: str, known: dict[str, Any] | None, whose: str) -> None:
    """Say of how many activities something is there, if there is or can be any; and whose it is."""
    there, missing = (known["done"], known["pending"]) if known else (0, 0)
    if there + missing:
        typer.echo(f"{name}: {there:,} activities, {missing:,} to come. {whose}")


def _strava(known: dict[str, Any]) -> None:
    """Say how much of Strava is here, when the rest will be, and what the quota allows."""
    missing = ", ".join(f"{count:,} {name}" for name, count in known["to_fetch"].items() if count)
    done = _moment(known["fetched_about"])
    pace = f"at most {known['calls_a_day']:,} calls a day"
    rest = f"to fetch: {missing} ({pace}), done about {done}" if missing else "all fetched"
    typer.echo(f"Strava: {known['activities']:,} activities, {rest}")
    for window in known["quota"]:
        typer.echo(
            f"    quota, {window['kind']}: {window['used']:,} of {window['limit']:,} used until "
            f"{_moment(window['resets_at'])}"
        )


def _garmin(known: dict[str, Any] | None) -> None:
    """Say when the key of Garmin's Personal API ends, if there is one."""
    if known is None:
        return
    if known["login"] != "personal_api":
        typer.echo("Garmin: logged in with the community client")
    elif known["warning"]:
        typer.echo(f"Garmin: {known['warning']}: {known['advice']}")
    elif known["key_ends_on"]:
        typer.echo(
            f"Garmin: {known['days_left']} days left of the key, until {known['key_ends_on']}"
        )
    else:
        typer.echo("Garmin: when the key ends is not known; `tracklake auth garmin` asks for it")


def _moment(text: str | None) -> str:
    """Show a moment of the status, which is in UTC."""
    return f"{(text or '')[:16].replace('T', ' ')} UTC"


def _session(session: dict[str, Any]) -> str:
    phases = [
        " ".join(
            filter(
                None,
                (
                    f"{phase['phase']} {phase['processed']}/{phase['total'] or '?'}",
                    phase["detail"],
                ),
            )
        )
        if phase["finished_at"] is None
        else f"{phase['phase']}: {phase['detail'] or phase['processed']}"
        for phase in session["phases"]
    ]
    return f"{session['flow']} ({'; '.join(phases)})" if phases else str(session["flow"])
