"""Facts about known activities, fetched one call each; one file an enrichment.

An enrichment is a module with NAME, ENTITY, HASH (the column of upstream_records that says when it
has to be fetched again; None: not about an activity), wanted(index, options), request(wanted,
options) and read(session, page, wanted, options) -> Fetched. It is named in ALL; those in USUAL are
fetched unless others are asked for.
"""

import importlib
from types import ModuleType

ALL = ("gear", "details", "streams", "zones")
USUAL = ("gear", "details", "streams")  # time in zones would cost a call more for each activity


def modules(names: tuple[str, ...]) -> list[ModuleType]:
    """Return the modules of enrichments, in the order in which one activity's are fetched."""
    wanted = names or USUAL
    return [importlib.import_module(f"tracklake.enrichments.{one}") for one in ALL if one in wanted]
