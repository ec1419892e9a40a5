"""Full-resolution tracks, from the snapshot that is the published one at that moment."""

from typing import Any

import duckdb

from tracklake import reading
from tracklake.config import Folders
from tracklake.errors import Error
from tracklake.serving import gold

_ACTIVITY = """
select name, sport_type, date_trunc('second', start_date_local), distance, moving_time
from activities
where id = $id and ($athlete is null or athlete = $athlete)
"""
# Rounded to what can be measured, which makes the answer a third of its size.
_POINTS = """
select
  round(lng, 7) as lng,
  round(lat, 7) as lat,
  round(time_s, 2) as time_s,
  round(distance_m, 1) as distance_m,
  round(altitude_m, 1) as altitude_m,
  round(velocity_mps, 3) as velocity_mps,
  round(heartrate_bpm, 1) as heartrate_bpm,
  round(grade_pct, 2) as grade_pct
from activity_streams
where activity_id = ?
order by point_index
"""


class Tracks:
    """Answers from the published snapshot; safe to ask from several threads.

    The snapshot is opened for each question and closed after it, so that a new one is noticed and
    the file is never held.
    """

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def track(self, activity_id: int) -> dict[str, Any] | None:
        """Return an activity with all its points, in columns; None if there is none of this id.

        Raises ConfigError if there is no warehouse, Error if it or its points cannot be read.
        """
        with gold.opened(self._folders) as connection:
            try:
                part = reading.own(connection, self._folders)
                return _track(connection, activity_id, part.athlete)
            except (duckdb.PermissionException, duckdb.IOException) as error:
                raise Error(reading.MOVED) from error


def _track(
    connection: duckdb.DuckDBPyConnection, activity_id: int, athlete: str | None
) -> dict[str, Any] | None:
    found = connection.execute(_ACTIVITY, {"id": activity_id, "athlete": athlete}).fetchone()
    if found is None:
        return None
    name, sport_type, start_date_local, distance_m, moving_time_s = found
    points = connection.execute(_POINTS, [activity_id])
    names = [column[0] for column in points.description or []]
    rows = points.fetchall()
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {
        "id": activity_id,
        "name": name,
        "sport_type": sport_type,
        "start_date_local": start_date_local,
        "distance_m": distance_m,
        "moving_time_s": moving_time_s,
        "points": dict(zip(names, columns, strict=True)),
    }
