"""What ends a pull: all was read, the quota is spent, somebody stops it, or it fails."""

from collections.abc import Callable

from tracklake.errors import BudgetSpent, Error, Interrupted
from tracklake.stages import ListReport
from tracklake.upstream.calls import Calls


def carry_out(
    run: Callable[[], None], seal: Callable[[], None], report: ListReport, calls: Calls
) -> None:
    """Run a pull and make the shards of what landed, also where it could not be read to its end.

    A spent quota parks it. What was landed before a failure is made use of, and the failure raised;
    a defect of ours leaves it to the next pull, and so does who stops it within seconds.
    """
    try:
        run()
    except BudgetSpent as parked:
        report.parked = parked
    except Interrupted:
        raise
    except Error:
        seal()
        raise
    finally:
        report.calls = calls.calls
    seal()
