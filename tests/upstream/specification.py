"""A small checker of JSON against the service's Swagger definitions.

It checks the types and lists of what is there. What is not in the definitions passes, since the
service sends more than they name; so does null, which it sends for much.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


class Specification:
    """The definitions of one file."""

    def __init__(self, file: Path) -> None:
        self._whole: dict[str, Any] = json.loads(file.read_text("utf-8"))

    def mistakes(self, value: object, definition: str, *, many: bool = False) -> set[str]:
        """Return where and how a value breaks a definition, list positions left out."""
        schema: dict[str, Any] = {"$ref": f"#/definitions/{definition}"}
        if many:
            schema = {"type": "array", "items": schema}
        return set(self._check(value, schema, definition))

    def _check(self, value: object, schema: dict[str, Any], place: str) -> Iterator[str]:
        if value is None:
            return
        if "$ref" in schema:
            yield from self._check(value, self._found(schema["$ref"]), place)
            return
        for part in schema.get("allOf", ()):
            yield from self._check(value, part, place)
        yield from self._check_type(value, schema, place)
        yield from self._check_parts(value, schema, place)

    def _check_parts(self, value: object, schema: dict[str, Any], place: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in schema.get("properties", {}).items():
                if name in value:
                    yield from self._check(value[name], inner, f"{place}.{name}")
        if isinstance(value, list) and "items" in schema:
            for item in value:
                yield from self._check(item, schema["items"], f"{place}[]")

    def _check_type(self, value: object, schema: dict[str, Any], place: str) -> Iterator[str]:
        wanted = schema.get("type")
        if isinstance(wanted, str):
            right = isinstance(value, TYPES[wanted])
            if wanted in ("integer", "number") and isinstance(value, bool):
                right = False
            if not right:
                yield f"{place}: {type(value).__name__} is no {wanted}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is not in the list"
        if isinstance(value, list) and len(value) < schema.get("minItems", 0):
            yield f"{place}: too short"

    def _found(self, reference: str) -> dict[str, Any]:
        found: Any = self._whole
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        checked: dict[str, Any] = found
        return checked
