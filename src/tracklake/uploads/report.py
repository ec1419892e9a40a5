"""What uploading is asked to do, and what it says came of it."""

from dataclasses import dataclass, field

from tracklake.errors import BudgetSpent
from tracklake.uploads.candidates import Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOptions:
    """wish: which files. name: a template. max_calls: stop after so many. dry_run: only say."""

    wish: Wish = field(default_factory=Wish)
    name: str | None = None
    max_calls: int | None = None
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class UploadReport:
    """What came of it, in files.

    came: by state (done, duplicate, there, failed); processing: Strava is at it; doubtful: sent
    without an answer, to be looked for; left: still to go; errors: failed for now; failures: why
    Strava refused; kept: not to go, by why. planned: what a dry run would send, in words. parked:
    why it stopped before the end.
    """

    came: dict[str, int] = field(default_factory=dict)
    processing: int = 0
    doubtful: int = 0
    left: int = 0
    errors: int = 0
    failures: list[str] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    planned: list[str] = field(default_factory=list)
    calls: int = 0
    parked: BudgetSpent | None = None
    is_plan: bool = False  # nothing was to be sent, only told
    decided: bool = False  # it is known which files are to go

    def count(self, state: str) -> None:
        """Count a file that came to an end."""
        self.came[state] = self.came.get(state, 0) + 1

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
        kept = ", ".join(f"{count:,} {why}" for why, count in sorted(self.kept.items()))
        stay = [f"  not to go: {kept}"] if kept and self.is_plan else []
        if self.is_plan:
            return [f"to upload: {self.left:,}", *(f"  {one}" for one in self.planned), *stay]
        lines = [f"upload: {self.summary()}", *(f"  refused: {one}" for one in self.failures)]
        if self.errors:
            lines.append(f"  {self.errors:,} could not be done now; the flow's log says why")
        if self.processing or self.doubtful or self.left:
            lines.append("  nothing is lost: the next `tracklake upload` or flow goes on there")
        return lines
