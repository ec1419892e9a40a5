"""The sets of tiles that there are: one's own, and a public one where privacy is set."""

from pathlib import Path

import duckdb

from tracklake.clock import Clock
from tracklake.config import Settings
from tracklake.errors import ConfigError
from tracklake.session import SyncSession
from tracklake.state import State
from tracklake.tiles import manifest, stage
from tracklake.tiles.privacy import Privacy, parse_zones
from tracklake.tiles.stage import Options, Progress, TilesReport
from tracklake.tiles.views import Everything, Public, sign_of

_SETTING = "TRACKLAKE_PRIVACY_ZONES"


def privacy(settings: Settings) -> Privacy:
    """Return what the settings hide; zones stand there or in the file that is named there.

    Raises ConfigError with the entry that makes no sense: to hide less than was meant is worse
    than to stop.
    """
    text = (settings.privacy_zones or "").strip()
    named = _SETTING
    if text and not text.startswith("{") and not text[0].isdigit() and text[0] not in "-+.":
        named = f"{_SETTING} names {text}, which"
        try:
            text = Path(text).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{named} cannot be read: {error}") from error
    try:
        zones = parse_zones(text)
    except ValueError as error:
        raise ConfigError(f"{named}: {error}") from error
    if named != _SETTING and not zones:
        raise ConfigError(f"{named} names no zone; a line of it is lat,lng,radius_m")
    return Privacy(zones, settings.privacy_cut_m)


def draw(
    session: SyncSession,
    connection: duckdb.DuckDBPyConnection,
    hidden: Privacy,
    *,
    rebuild: bool,
    single: bool,
    progress: Progress,
) -> tuple[TilesReport, TilesReport | None]:
    """Bring both sets up to date; a public set of a time when something was hidden is removed."""
    folders, state, clock = session.folders, session.state, session.clock
    options = Options(rebuild=rebuild, single=single, progress=progress)
    own = stage.build(Everything(connection), folders.tiles, options, state=state, clock=clock)
    if hidden.is_empty:
        if manifest.remove(folders.public_tiles):
            session.log.warning("public_tiles_removed", reason="no privacy is set any more")
        return own, None
    return own, draw_public(connection, folders.public_tiles, state, hidden, options, clock)


def draw_public(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    state: State,
    hidden: Privacy,
    options: Options,
    clock: Clock | None = None,
) -> TilesReport:
    """Bring the public set up to date.

    Where something else is hidden than before, yesterday's files go at once: they show it.
    """
    report = stage.build(
        Public(connection, state, hidden), folder, options, state=state, clock=clock
    )
    name, sign = f"tiles hide: {folder}", sign_of(hidden)
    if state.execute("select value from facts where name = ?", (name,)) != [(sign,)]:
        manifest.forget_old(folder)
        state.execute("insert or replace into facts values (?, ?)", (name, sign))
    return report
