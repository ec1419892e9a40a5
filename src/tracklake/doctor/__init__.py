"""Doctor: looks for what is wrong, says it in one sentence each, and what to do."""

from tracklake.doctor.examination import everything, examine
from tracklake.doctor.finding import Finding

__all__ = ["Finding", "everything", "examine"]
