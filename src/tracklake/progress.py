"""Progress on a terminal as a bar, elsewhere as one line when a stage is done."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Bars:
    """A bar for the stage at work; the finished ones stay as a line each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None

    def begin(self, phase: str, total: int | None) -> None:
        """A phase starts."""
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description:<8}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.add_task(phase, total=total)
            self._progress.start()

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """So many items are done."""
        if self._progress is not None:
            for task in self._progress.task_ids:
                self._progress.update(task, description=phase, completed=processed, total=total)

    def note(self, phase: str, detail: str) -> None:
        """A phase says what it is doing: waiting for a quota, for instance."""
        self._console.print(f"{phase:<8} {detail}", highlight=False, markup=False)

    def end(self, phase: str, detail: str) -> None:
        """A phase is done, or failed: then `detail` is empty."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if detail:
            self._console.print(f"{phase:<8} {detail}", highlight=False, markup=False)
