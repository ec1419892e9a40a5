"""What a warehouse is asked before it is kept and after it came back: the answers are the same.

No question needs files outside the warehouse.
"""

import contextlib

import duckdb

Answers = dict[str, tuple[int, int]]

_QUESTIONS = (
    "activities",
    "activity_sources",
    "monthly_totals",
    "personal_records",
    "gear_distance",
    "activity_splits_metric",
    "activity_best_efforts",
)
_OF_TODAY = ("current_streak", "rolling_totals", "training_load")  # each day another answer


def ask(connection: duckdb.DuckDBPyConnection) -> Answers:
    """Return of each answer the rows and an order-free hash; what a file lacks is left out."""
    answers: Answers = {}
    for name in _QUESTIONS:
        with contextlib.suppress(duckdb.CatalogException):  # made by another version
            answers[name] = counted(connection, f"select * from {name}")  # noqa: S608 our own names
    for name in _OF_TODAY:
        with contextlib.suppress(duckdb.CatalogException):
            connection.execute(f"select * from {name}").fetchmany(1)  # noqa: S608 our own names
    return answers


def counted(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    """Return how many rows a query gives, and an order-free hash of all their columns."""
    ((count, value),) = connection.execute(
        f"select count(*), coalesce(sum(hash(t)::hugeint), 0) % 18446744073709551557 "  # noqa: S608 our own names
        f"from ({query}) as t"
    ).fetchall()
    return int(count), int(value)
