"""What four sources say of a made-up athlete's outings, and how wrong they are (PARAMETERS)."""

import random
from dataclasses import replace

from bench.matching_athlete import Athlete, Outing
from tracklake.identity import record_id
from tracklake.matching import Record, links

PARAMETERS = {
    "garmin has it": 0.93,
    "strava has it": 0.95,
    "intervals has it": 0.88,
    "smashrun has it (on foot)": 0.9,
    "a source names no id of another": 0.3,
    "distance differs (standard deviation)": 0.01,
    "distance differs by up to 6 %": 0.1,
    "start differs by up to 90 s (a fifth of it)": 0.2,
    "elapsed time differs by up to 40 s (a tenth of it)": 0.15,
    "clock wrong by 2 to 14 min": 0.005,
    "zone wrong by 1 to 9.5 h": 0.01,
    "of these, the source says that it has no zone": 0.5,
    "start hidden (Strava)": 0.05,
    "second device, up to 240 s (a sixth of it) off (Strava)": 0.08,
    "cropped by 5 to 20 % (Strava)": 0.03,
    "sport changed within its family, or to Workout (Strava)": 0.04,
    "sport changed to another family (Strava)": 0.003,
    "treadmill corrected by up to 15 % (Strava)": 0.2,
    "no coarse track": 0.25,
    "typed in by hand, another hour in each source": 0.01,
    "intervals has a stub only": 0.1,
}
_P = PARAMETERS
_DAY_S = 86_400.0
_ZONES_H = (-8, -5.5, -2, -1, 1, 2, 3, 5.5, 9.5)
_FOOT = frozenset({"Run", "TrailRun", "Walk", "Hike"})
_EDITS = {
    "Run": ("TrailRun", "Workout", "Walk"),
    "Ride": ("GravelRide", "VirtualRide", "Workout"),
    "VirtualRide": ("Ride", "Workout"),
    "WeightTraining": ("Workout", "Crossfit"),
}


class Sources:
    """The records of an athlete's outings. truth: which outing a record tells of."""

    def __init__(self, athlete: Athlete) -> None:
        self.athlete = athlete
        self.draw = random.Random(athlete.seed + 1)  # noqa: S311 not for secrets
        self.truth: dict[int, int] = {}
        self.records = [record for outing in athlete.outings for record in self.told(outing)]

    def told(self, outing: Outing) -> list[Record]:
        """Return what the sources that have it say of an outing."""
        draw = self.draw
        by_hand = draw.random() < _P["typed in by hand, another hour in each source"]
        found: list[Record] = []
        garmin, strava = f"{20_000_000 + outing.number}", f"{70_000_000 + outing.number}"
        has_garmin = draw.random() < _P["garmin has it"] and not by_hand
        has_strava = draw.random() < _P["strava has it"]
        if has_garmin:
            found.append(self._record(outing, "garmin", garmin))
        if has_strava:
            found.append(self._strava(outing, strava, garmin if has_garmin else None, by_hand))
        if draw.random() < _P["intervals has it"] and not by_hand:
            found.append(self._intervals(outing, strava if has_strava else None, garmin))
        on_foot = outing.sport in _FOOT
        if on_foot and draw.random() < _P["smashrun has it (on foot)"]:
            found.append(self._smashrun(outing, garmin if has_garmin else None, by_hand))
        self.truth |= {record.record_id: outing.number for record in found}
        return found

    def _named(self, number: str | None) -> str | None:
        return None if self.draw.random() < _P["a source names no id of another"] else number

    def _strava(self, outing: Outing, own: str, garmin: str | None, by_hand: bool) -> Record:
        draw = self.draw
        garmin = self._named(garmin)
        if draw.random() < _P["second device, up to 240 s (a sixth of it) off (Strava)"]:
            garmin, outing = None, self._second_device(outing)
        record = self._record(outing, "strava", own, garmin and f"garmin_push_{garmin}")
        record = replace(record, moving_s=outing.moving_s * draw.uniform(0.94, 1.0))
        if draw.random() < _P["cropped by 5 to 20 % (Strava)"]:
            record = self._cropped(record, 1 - draw.uniform(0.05, 0.2))
        record = self._edited(record, outing)
        if by_hand:
            return self._typed(record)
        if draw.random() < _P["start hidden (Strava)"]:
            local_s = (record.start_s or 0.0) + self.athlete.offset_s
            midnight_s = local_s // _DAY_S * _DAY_S + 1
            if draw.random() < 0.5:
                midnight_s -= self.athlete.offset_s
            record = replace(record, start_hidden=True, start_s=midnight_s)
        return record

    def _edited(self, record: Record, outing: Outing) -> Record:
        draw, at = self.draw, self.draw.random()
        few = _P["sport changed to another family (Strava)"]
        if at < few:
            record = replace(record, sport_type="Ride" if outing.sport == "Run" else "Run")
        elif at < few + _P["sport changed within its family, or to Workout (Strava)"]:
            record = replace(record, sport_type=draw.choice(_EDITS.get(outing.sport, ("Workout",))))
        is_corrected = draw.random() < _P["treadmill corrected by up to 15 % (Strava)"]
        if record.distance_m and not outing.line and is_corrected:
            record = replace(record, distance_m=record.distance_m * draw.uniform(0.85, 1.15))
        return record

    def _second_device(self, outing: Outing) -> Outing:
        draw = self.draw
        most_s = min(240.0, outing.elapsed_s / 6)
        late_s, longer_s = draw.uniform(-most_s, most_s), draw.uniform(-most_s / 2, most_s)
        elapsed_s = max(outing.elapsed_s - late_s + longer_s, 60.0)
        return replace(
            outing,
            start_s=outing.start_s + late_s,
            elapsed_s=elapsed_s,
            moving_s=min(outing.moving_s * draw.gauss(1, 0.02), elapsed_s),
            distance_m=outing.distance_m and outing.distance_m * draw.gauss(1, 0.02),
        )

    def _cropped(self, record: Record, part: float) -> Record:
        elapsed_s = (record.elapsed_s or 0.0) * part
        at_start = self.draw.random() < 0.5
        cut_s = (record.elapsed_s or 0.0) - elapsed_s if at_start else 0.0
        return replace(
            record,
            start_s=(record.start_s or 0.0) + cut_s,
            elapsed_s=elapsed_s,
            moving_s=(record.moving_s or 0.0) * part,
            distance_m=record.distance_m and record.distance_m * part,
        )

    def _intervals(self, outing: Outing, strava: str | None, garmin: str) -> Record:
        if strava and self.draw.random() < _P["intervals has a stub only"]:
            keys = links(source="intervals", source_id=strava, strava_id=strava)
            number = record_id(str(self.athlete.seed), "intervals", strava)
            return Record(
                record_id=number, source="intervals", source_id=strava, links=keys,
                first_ingested_s=2.0, start_s=outing.start_s, zone_known=False, is_stub=True,
            )  # fmt: skip
        known = self._named(strava) if self.draw.random() < 0.5 else None
        return self._record(
            outing, "intervals", f"i{outing.number}", self._named(garmin), strava_id=known
        )

    def _smashrun(self, outing: Outing, garmin: str | None, by_hand: bool) -> Record:
        own = f"{5_000_000 + outing.number}"
        record = self._record(outing, "smashrun", own, self._named(garmin))
        record = replace(record, elapsed_s=record.moving_s, sport_type="Run")
        return self._typed(record) if by_hand else record

    def _typed(self, record: Record) -> Record:
        """Return it as a person types it in: full minutes, hundreds of metres, about when."""
        hour_s = ((record.start_s or 0.0) + self.draw.uniform(-2, 2) * 3_600) // 1_800 * 1_800
        moving_s = round((record.moving_s or 0.0) / 60) * 60.0
        metres = record.distance_m and round(record.distance_m / 100) * 100.0
        return replace(
            record, start_s=hour_s, moving_s=moving_s, elapsed_s=moving_s, distance_m=metres,
            line=(), start=None, links=frozenset({f"{record.source}:{record.source_id}"}),
        )  # fmt: skip

    def _record(
        self,
        outing: Outing,
        source: str,
        own: str,
        external_id: str | None = None,
        strava_id: str | None = None,
    ) -> Record:
        draw = self.draw
        start_s, zone_known = self._start(outing)
        is_off = draw.random() < _P["elapsed time differs by up to 40 s (a tenth of it)"]
        most_s = min(40.0, outing.elapsed_s / 10)
        off_s = draw.uniform(-most_s, most_s) if is_off else draw.uniform(-1, 1)
        has_line = outing.line and draw.random() >= _P["no coarse track"]
        shift = draw.uniform(-0.0003, 0.0003)
        line = tuple((x + shift, y - shift) for x, y in outing.line) if has_line else ()
        return Record(
            record_id=record_id(str(self.athlete.seed), source, own),
            source=source,
            source_id=own,
            first_ingested_s=1.0,
            links=links(source=source, source_id=own, external_id=external_id, strava_id=strava_id),
            start_s=start_s,
            elapsed_s=max(outing.elapsed_s + off_s, 30.0),
            moving_s=max(outing.moving_s + off_s * draw.random(), 30.0),
            distance_m=outing.distance_m and outing.distance_m * self._scale(),
            sport_type=outing.sport,
            utc_offset_s=self.athlete.offset_s,
            zone_known=zone_known,
            line=line,
            start=line[0] if line else None,
        )

    def _scale(self) -> float:
        if self.draw.random() < _P["distance differs by up to 6 %"]:
            return self.draw.uniform(0.94, 1.06)
        return self.draw.gauss(1, _P["distance differs (standard deviation)"])

    def _start(self, outing: Outing) -> tuple[float, bool]:
        draw, start_s = self.draw, outing.start_s
        most_s = min(90.0, outing.elapsed_s / 5)
        is_off = draw.random() < _P["start differs by up to 90 s (a fifth of it)"]
        start_s += draw.uniform(-most_s, most_s) if is_off else draw.uniform(-2, 2)
        at = draw.random()
        if at < _P["clock wrong by 2 to 14 min"]:
            return start_s + draw.choice((-1, 1)) * draw.uniform(120, 840), True
        if at < _P["clock wrong by 2 to 14 min"] + _P["zone wrong by 1 to 9.5 h"]:
            told = draw.random() < _P["of these, the source says that it has no zone"]
            return start_s + draw.choice(_ZONES_H) * 3_600, not told
        return start_s, True
