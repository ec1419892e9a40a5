"""What a page of a service's list says, and what its service must be able to read of it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tracklake.errors import InvalidData
from tracklake.identity import content_hash, record_id
from tracklake.json_reader import sound
from tracklake.json_text import parse


@dataclass(frozen=True, slots=True)
class Listed:
    """An activity as a page of the list has it. polyline: its geometry, coarse, if it shows one.

    content_hash: of the item as received; row: in the columns of the entity `activities`.
    """

    source_id: str
    start_s: float
    content_hash: str
    polyline: str | None
    row: dict[str, object]


class ListPage(NamedTuple):
    """A page of the list: its objects, and the body as it was received."""

    items: list[dict[str, Any]]
    body: bytes


def read_page(body: bytes) -> ListPage:
    """Read a body that is a list; InvalidData if it is none.

    What is no object in it stands in one, to be set aside like an activity without an id.
    """
    try:
        found = parse(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise InvalidData("it is no list of activities", reason="no_list")
    return ListPage([one if isinstance(one, dict) else {"value": one} for one in found], body)


def content_hash_of(item: dict[str, Any]) -> str:
    """Hash an item as it was received, whatever the order of its fields."""
    return content_hash(sound(item))


def identified(source: str, athlete: str, source_id: str) -> dict[str, object]:
    """Return the columns that say whose record of what a row is about."""
    return {
        "source": source,
        "athlete": athlete,
        "source_id": source_id,
        "record_id": record_id(athlete, source, source_id),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How one service's list is read.

    name: of the source; title: what a person calls it. identity: an item's id, InvalidData without
    one. listed: an item and an athlete as a row; InvalidData if it lacks what every activity has.
    """

    name: str
    title: str
    identity: Callable[[dict[str, Any]], str]
    listed: Callable[[dict[str, Any], str], Listed]
    read_page: Callable[[bytes], ListPage] = read_page
