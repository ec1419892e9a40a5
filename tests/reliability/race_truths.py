"""What random histories share and come to, and what bronze says of them."""

import dataclasses
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tests.reliability.race_killer import Puller
from tests.sources.strava_place import Place, compared, opened
from tests.upstream.activities import Payload

Version = tuple[int, Any, str]


@dataclasses.dataclass
class Races:
    """What all examples share: where they lie, what they came to, what happened in them.

    truths: by folder and athlete, what the service shows at the end; gone: what it showed once;
    wrong: where gold was something else.
    """

    root: Path
    puller: Puller
    truths: dict[tuple[Path, str], dict[int, Payload]] = dataclasses.field(default_factory=dict)
    gone: dict[tuple[Path, str], set[int]] = dataclasses.field(default_factory=dict)
    happened: Counter[str] = dataclasses.field(default_factory=Counter)

    wrong: list[str] = dataclasses.field(default_factory=list)

    def compare(self) -> None:
        """Make gold of the folders that are full, and compare; then they are not needed."""
        for lake in sorted({folder for folder, _ in self.truths}):
            self.wrong += differences(self, lake)
            shutil.rmtree(lake)
            for who in [who for who in self.truths if who[0] == lake]:
                del self.truths[who], self.gone[who]


def differences(races: Races, lake: Path) -> list[str]:
    """Make gold of a data folder; say where it is not what the service showed each athlete."""
    said = []
    with opened(lake) as place:
        place.compact()
        place.compact(verify=True)
        rows = place.query(
            "select a.athlete as whose, s.strava_id, s.external_id, s.upload_id, s.flagged, a.* "
            "from activities as a inner join activity_sources as s on s.activity_id = a.id "
            "where s.source = 'strava'"
        )
        gone = place.query("select athlete, source_id from activity_tombstones")
        for athlete in athletes_of(races, lake):
            truths = races.truths[lake, athlete]
            own = [row for row in rows if row["whose"] == athlete]
            gold = {int(row["strava_id"]): row for row in own}
            tombstones = {int(row["source_id"]) for row in gone if row["athlete"] == athlete}
            if gold.keys() != truths.keys() or len(own) != len(gold):
                said.append(f"{athlete}: {sorted(gold)} are not {sorted(truths)}")
            if tombstones != races.gone[lake, athlete]:
                said.append(f"{athlete}: tombstones of {tombstones ^ races.gone[lake, athlete]}")
            shared = gold.keys() & truths.keys()
            said += [text for one in shared for text in compared(gold[one], truths[one])]
    return said


def athletes_of(races: Races, lake: Path) -> list[str]:
    """Return the athletes of a data folder."""
    return [athlete for folder, athlete in races.truths if folder == lake]


def versions(place: Place) -> tuple[list[Version], list[tuple[int, Any]]]:
    """Return every version of an activity in bronze, and every tombstone, with their moments."""
    landed = [
        (int(row["source_id"]), row["ingested_at"], row["content_hash"])
        for row in place.shard_rows("activities")
    ]
    tombstones = [
        (int(row["source_id"]), row["ingested_at"])
        for row in place.shard_rows("activity_tombstones")
    ]
    return landed, tombstones


def repeated(landed: list[Version], tombstones: list[tuple[int, Any]]) -> list[str]:
    """Name what landed though the version before it was the same and nothing was between them."""
    events = [*landed, *((one, at, "gone") for one, at in tombstones)]
    last: dict[int, str] = {}
    said = []
    for one, at, content in sorted(events):
        if last.get(one) == content:
            said.append(f"{one}: {content} again at {at}")
        last[one] = content
    return said
