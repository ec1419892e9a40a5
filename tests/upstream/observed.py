"""Error bodies of Strava as they were observed."""

from tests.upstream.activities import TEMPLATES
from tests.upstream.calls import Answer


def error(name: str) -> Answer:
    """Return an observed error by its name in the templates."""
    found = TEMPLATES["errors"][name]
    return Answer(found["status"], found["body"])


def bad_request(field: str) -> Answer:
    """Return the answer to a parameter that cannot be understood."""
    mistake = {"resource": "Application", "field": field, "code": "invalid"}
    return Answer(400, {"message": "Bad Request", "errors": [mistake]})
