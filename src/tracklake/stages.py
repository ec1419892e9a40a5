"""What stages are asked to do, and what they say came of it."""

from dataclasses import dataclass, field

from tracklake.errors import BudgetSpent

LOOKBACK_DAYS = 21
PER_PAGE = 200
RESERVE = 0.1  # of each limit of a quota, left to the daily flow's list calls


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """everything: look at everything again, back to day zero. lookback_days: read again behind the
    newest known activity. per_page: of a service's list. max_calls: stop after so many.
    """

    everything: bool = False
    lookback_days: int = LOOKBACK_DAYS
    per_page: int = PER_PAGE
    max_calls: int | None = None


@dataclass(slots=True, kw_only=True)
class ListReport:
    """What came of reading a service's list, in activities.

    listed: seen in the list; gone: not there any more; returned: there again; doubted: missing, but
    too many at once to be believed before a second look; resumed: goes on where another run ended.
    details: of how many the details were fetched, where a pull does that. also: what else came, by
    the words for it.
    parked: why it stopped before the end, to go on later.
    """

    listed: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    doubted: int = 0
    quarantined: int = 0
    details: int = 0
    also: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    parked: BudgetSpent | None = None

    def summary(self) -> str:
        """Say it in a few words."""
        counts = {
            "new": self.new,
            "changed": self.changed,
            "gone": self.gone,
            "missing, to be looked at again in an hour": self.doubted,
            "with details": self.details,
            **self.also,
            "set aside": self.quarantined,
        }
        said = [f"{count:,} {word}" for word, count in counts.items() if count]
        told = ", ".join(said) or "nothing new"
        return f"{told} ({self.calls:,} calls)" + (f"; {self.parked}" if self.parked else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichOptions:
    """Which facts about which activities are fetched.

    given_up: also what failed too often. everything: that, and points of activities whose sound
    file is here. since_days: began in the last days.
    ids: these only, whatever is known about them. only: names of enrichments. include_efforts: all
    segment efforts. cushion_15min, cushion_daily: calls to leave unused; None: a tenth.
    """

    everything: bool = False
    given_up: bool = False
    since_days: int | None = None
    ids: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    max_calls: int | None = None
    cushion_15min: int | None = None
    cushion_daily: int | None = None
    include_efforts: bool = False
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class EnrichReport:
    """What came of it: fetched and absent by enrichment; left: still to be fetched.

    plan: calls by enrichment. parked: why it stopped before the end, to go on later; finished_at:
    when the rest will be there, in words.
    """

    plan: dict[str, int] = field(default_factory=dict)
    fetched: dict[str, int] = field(default_factory=dict)
    absent: int = 0
    quarantined: int = 0
    left: int = 0
    calls: int = 0
    parked: BudgetSpent | None = None
    finished_at: str = ""
    is_plan: bool = False  # nothing was to be fetched, only told

    def summary(self) -> str:
        """Say it in a few words."""
        said = [f"{count:,} {name}" for name, count in self.fetched.items() if count]
        if self.absent:
            said.append(f"{self.absent:,} not available")
        if self.quarantined:
            said.append(f"{self.quarantined:,} set aside")
        told = ", ".join(said) or "nothing new"
        rest = f"; {self.left:,} left, {self.finished_at}" if self.left else ""
        return f"{told} ({self.calls:,} calls){rest}" + (f"; {self.parked}" if self.parked else "")


@dataclass(slots=True, kw_only=True)
class WeatherReport:
    """What came of asking for weather, in days of a place.

    cost: what the calls counted in the quota. parked: why it stopped before the end, to go on
    later; failed: why it could not go on; both without harm to anything else.
    """

    wanted: int = 0
    fetched: int = 0
    quarantined: int = 0
    calls: int = 0
    cost: int = 0
    calls_planned: int = 0
    parked: BudgetSpent | None = None
    failed: str = ""
    is_plan: bool = False  # nothing was to be fetched, only told

    @property
    def left(self) -> int:
        """Return what is still to be fetched."""
        return self.wanted - self.fetched - self.quarantined

    def summary(self) -> str:
        """Say it in a few words."""
        said = f"{self.fetched:,} days of a place" if self.fetched else "nothing new"
        if self.quarantined:
            said += f", {self.quarantined:,} set aside"
        rest = f"; {self.left:,} left" if self.left else ""
        why = "; ".join(str(one) for one in (self.parked, self.failed) if one)
        return f"{said} ({self.calls:,} calls){rest}" + (f"; {why}" if why else "")


@dataclass(slots=True, kw_only=True)
class PlacesReport:
    """What came of looking up where activities start and end, in places.

    looked_up: offline; asked, quarantined, left, calls: at a Nominatim server, where one is set.
    failed: why it could not go on, without harm to anything else.
    """

    looked_up: int = 0
    asked: int = 0
    quarantined: int = 0
    left: int = 0
    calls: int = 0
    failed: str = ""
    is_plan: bool = False  # nothing was to be looked up, only told

    def summary(self) -> str:
        """Say it in a few words."""
        if self.is_plan:
            return f"{self.looked_up:,} to look up, {self.left:,} to ask Nominatim about"
        said = [f"{self.looked_up:,} looked up"] if self.looked_up else []
        if self.calls:
            said.append(f"{self.asked:,} from Nominatim ({self.calls:,} calls)")
        if self.quarantined:
            said.append(f"{self.quarantined:,} set aside")
        said += [f"{self.left:,} left"] if self.left else []
        return "; ".join([", ".join(said) or "nothing new", *filter(None, [self.failed])])
