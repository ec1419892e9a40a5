"""docs/formulas.md: none of its examples is there for decoration."""

import json
import re

from tests.conftest import REPOSITORY


def test_every_example_is_checked() -> None:
    """Each kind of example on the page is read by some test, and none asks for one that is gone."""
    page = (REPOSITORY / "docs" / "formulas.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    shown = {json.loads(block)["example"] for block in blocks}
    tests = "".join(path.read_text(encoding="utf-8") for path in REPOSITORY.glob("tests/test_*.py"))
    assert shown == set(re.findall(r'parametrize\("example", examples\("(.+?)"\)\)', tests))
