"""What uploading is asked to do, and what it says came of it."""

from dataclasses import dataclass, field

from tracklake.clock import from_unix
from tracklake.errors import BudgetSpent
from tracklake.uploads.candidates import (
    MAY_BE_ANOTHER,
    MAY_BE_THERE,
    STILL_TO_COME,
    File,
    Outing,
    Wish,
)
from tracklake.uploads.replies import plain

_MOST_STAYS = 100  # that are named one by one
_BEHIND = "  the warehouse does not know the newest pull yet: `tracklake compact`, then again"
_SAID = (MAY_BE_THERE, MAY_BE_ANOTHER, STILL_TO_COME)
_COUNTED = (
    *("on Strava", "on Strava, or was", "deleted on Strava", "from Strava's own archive"),
    *("uploaded before", "before --since", "another sport than --sport"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOptions:
    """wish: which files. name: a template. max_calls: stop after so many. dry_run: only say."""

    wish: Wish = field(default_factory=Wish)
    name: str | None = None
    max_calls: int | None = None
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class UploadReport:
    """What came of it, in activities.

    came: by state (done, duplicate, there, failed); processing: Strava is at it; doubtful: sent
    without an answer, to be looked for; left: still to go; errors: failed for now; failures: why
    Strava refused; kept: not to go, by why. planned, stays: what a dry run would send and what not,
    in words. parked: why it stopped before the end. is_behind: the warehouse knew less than bronze.
    """

    came: dict[str, int] = field(default_factory=dict)
    processing: int = 0
    doubtful: int = 0
    left: int = 0
    errors: int = 0
    failures: list[str] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)
    stays: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0
    parked: BudgetSpent | None = None
    is_plan: bool = False  # nothing was to be sent, only told
    decided: bool = False  # it is known what is to go
    is_behind: bool = False

    def count(self, state: str) -> None:
        """Count a file that came to an end."""
        self.came[state] = self.came.get(state, 0) + 1

    def keep(self, why: str, count: int) -> None:
        """Count some that stay."""
        self.kept[why] = self.kept.get(why, 0) + count

    def summary(self) -> str:
        """Say it in a few words."""
        counts = {
            "uploaded": self.came.get("done", 0),
            "were on Strava": self.came.get("duplicate", 0) + self.came.get("there", 0),
            "refused": self.came.get("failed", 0),
            "being processed": self.processing,
            "without an answer": self.doubtful,
            "left": self.left,
        }
        said = [f"{count:,} {word}" for word, count in counts.items() if count]
        told = ", ".join(said) or "nothing to upload"
        return f"{told} ({self.calls:,} calls)" + (f"; {self.parked}" if self.parked else "")

    def lines(self) -> list[str]:
        """Say it on a terminal."""
        behind = [_BEHIND] if self.is_behind else []
        if self.is_plan:
            return [*self._planned_lines(), *behind]
        lines = [f"upload: {self.summary()}", *(f"  refused: {one}" for one in self.failures)]
        lines += [f"  {count:,} {why}" for why, count in self.kept.items() if why in _SAID]
        if self.errors:
            lines.append(f"  {self.errors:,} could not be done now; the flow's log says why")
        if self.processing or self.doubtful or self.left:
            lines.append("  nothing is lost: the next `tracklake upload` or flow goes on there")
        return lines + behind

    def _planned_lines(self) -> list[str]:
        kept = ", ".join(f"{count:,} {why}" for why, count in sorted(self.kept.items()))
        named = [f"  {one}: {why}" for one, why in self.stays if why not in _COUNTED]
        more = len(named) - _MOST_STAYS
        return [
            f"to upload: {self.left:,}",
            *(f"  {one}" for one in self.planned),
            *([f"not to go: {kept}"] if kept else []),
            *named[:_MOST_STAYS],
            *([f"  … and {more:,} more"] if more > 0 else []),
        ]


def shown(one: File | Outing) -> str:
    """Say which activity, or which file of one, in words."""
    local = from_unix(one.start_s + one.utc_offset_s)
    parts = [f"{local:%Y-%m-%d %H:%M} {one.sport_type}".rstrip()]
    if isinstance(one, File):
        named = f"{one.source}/{one.source_id[:12]}"
        parts += [f"{round(one.elapsed_s / 60):,} min", f"{one.file_format} of {named}"]
    return plain(", ".join([*parts, one.name or f"activity {one.activity_id}"]))
