"""Where activities come from: one file a source; they do not know one another.

A source is a module with NAME, is_configured(folders, settings) and
pull(session, paths, options); it is named in config.SOURCES.
"""

import importlib
from collections.abc import Sequence
from types import ModuleType

from tracklake.config import SOURCES


def all_sources(more: Sequence[ModuleType] = ()) -> list[ModuleType]:
    """Return the modules of all sources, in the order of config.SOURCES, then those of others."""
    own = [importlib.import_module(f"tracklake.sources.{name}") for name in SOURCES]
    return [*own, *more]
