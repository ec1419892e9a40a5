"""JSON as services really send it: strict on the whole, lenient where a record can be mended."""

import json
from typing import Any

import orjson


def parse(data: bytes) -> Any:  # noqa: ANN401 JSON is anything
    """Return what the text says; ValueError if it is no JSON in UTF-8.

    A byte order mark, lone surrogates in escapes and NaN are let through: one activity's name or
    number must not cost a page of 200. Whoever reads the values replaces them.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
