"""What is documented exists, and what exists is documented; every query in the documents runs."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from tracklake import config, demo, errors, flow, reading
from tracklake.cli import app
from tracklake.clock import SystemClock
from tracklake.config import Folders

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
OPERATIONS = REPOSITORY / "docs" / "operations.md"
PAGES = [
    README,
    *(REPOSITORY / name for name in ("CHANGELOG.md", "SECURITY.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def _commands() -> dict[str, TyperCommand | TyperGroup]:
    """Return every command by its words: "pull", "quarantine list"."""
    return dict(_walk(typer.main.get_command(app), ""))


def _walk(command: object, words: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    if isinstance(command, TyperGroup):
        if command.invoke_without_command and words:
            yield words, command
        for name, child in command.commands.items():
            yield from _walk(child, f"{words} {name}".strip())
    else:
        assert isinstance(command, TyperCommand)
        yield words, command


def _options(command: TyperCommand | TyperGroup) -> set[str]:
    return {
        next(name for name in parameter.opts if name.startswith("--"))
        for parameter in command.params
        if isinstance(parameter, TyperOption)
    }


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))


def _text(page: Path) -> str:
    return _COMMENT.sub("", page.read_text(encoding="utf-8"))


def _code(page: Path) -> list[str]:
    """Return what stands in code blocks and between backticks."""
    text = _text(page)
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return blocks + re.findall(r"`([^`\n]+)`", text)


def _sections() -> dict[str, str]:
    """Return the sections of operations.md about commands, by the command's words."""
    parts = re.split(r"^### `tracklake ([^`]+)`$", _text(OPERATIONS), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {re.sub(r"\s*[A-Z…]+", "", title): text for title, text in sections.items()}


def test_every_command_has_its_section() -> None:
    """docs/operations.md explains the commands that exist and no others."""
    assert set(_sections()) == set(_commands())


@pytest.mark.parametrize("words", sorted(_commands()))
def test_every_option_is_explained(words: str) -> None:
    """A command's section lists its options and no others."""
    section = _sections()[words].split("\n## ")[0]
    assert set(re.findall(r"^- `(--[a-z0-9-]+)", section, re.MULTILINE)) == _options(
        _commands()[words]
    )


@pytest.mark.parametrize("words", sorted(_commands()))
def test_every_command_helps(words: str) -> None:
    """Each command says what it does, and so does each of its options."""
    command = _commands()[words]
    assert command.help
    silent = [one.name for one in command.params if not getattr(one, "help", None)]
    assert not silent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    """Whatever is shown as `tracklake …` or `make …` can be typed."""
    commands = {words.split()[0] for words in _commands()}
    for code in _code(page):
        for name in re.findall(r"(?:^|[\s/])tracklake ([a-z]+)\b", code):
            assert name in commands, code
        for name in re.findall(r"(?:^|\s)make ([a-z-]+)\b", code):
            assert name in _targets(), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_the_documents_exist(page: Path) -> None:
    """An option shown after a command belongs to that command."""
    for code in _code(page):
        for line in re.findall(r"(?:^|[\s/])tracklake ([a-z].*)$", code, re.MULTILINE):
            named = {
                option
                for words, command in _commands().items()
                if f"{line} ".startswith(f"{words} ")
                for option in _options(command)
            }
            assert set(re.findall(r"--[a-z0-9-]+", line)) <= named, code


def test_every_target_is_documented() -> None:
    """README or operations.md name each Make target."""
    shown = {
        name
        for page in (README, OPERATIONS)
        for code in _code(page)
        for name in re.findall(r"\bmake ([a-z-]+)", code)
    }
    assert _targets() - shown == set()


def test_settings_are_documented() -> None:
    """`.env.example` and README list the variables that are read, and no others."""
    read = {field.validation_alias for field in config.Settings.model_fields.values()}
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == read
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", _text(README), re.MULTILINE)) == read


def test_the_example_settings_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copying `.env.example` changes nothing."""
    monkeypatch.delenv("TRACKLAKE_WEATHER")  # which conftest.py sets for all tests
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    given = dict(line.split("=", 1) for line in example.splitlines() if re.match("[A-Z]", line))
    copied, folders = config.load(**{name: value for name, value in given.items() if value})
    plain, plain_folders = config.load()
    assert copied.model_copy(update={"inbox": None}) == plain
    assert folders == plain_folders


def test_exit_codes_are_documented() -> None:
    """README lists every code a command can end with."""
    classes: list[type[errors.Error]] = [errors.Error, *_subclasses(errors.Error)]
    possible = {one.exit_code for one in classes if one is not errors.Interrupted} | {130, 143}
    rows = re.findall(r"^\| ([\d, ]+) \|", _text(README), re.MULTILINE)
    assert {int(code) for row in rows for code in row.split(",")} == possible


def _subclasses(parent: type[errors.Error]) -> Iterator[type[errors.Error]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


def test_the_warehouse_is_documented() -> None:
    """docs/warehouse.md lists every table, view and column with the comment it has in the file."""
    done = subprocess.run(
        [sys.executable, "scripts/describe_warehouse.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_table_and_column_has_a_comment() -> None:
    """No row of docs/warehouse.md is left without a meaning."""
    text = _text(REPOSITORY / "docs" / "warehouse.md")
    assert re.findall(r"^\| `\w+` \| [^|]+ \|\s*\|$", text, re.MULTILINE) == []
    assert "None." not in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of the repository finds it, and one to a heading finds the heading."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", _text(page)):
        name, _, heading = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in {one.lower().replace(" ", "-") for one in headings}


@pytest.fixture(scope="session")
def demo_folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Return the folders of the demo after the real flow."""
    data = tmp_path_factory.mktemp("docs") / "data"
    settings, folders = config.load(
        data_dir=data, logs_dir=data / "logs", athlete="demo", sources=("files",)
    )
    demo.write_inbox(folders, SystemClock())
    report = flow.FlowReport()
    with flow.running("demo", settings, folders, report) as session:
        flow.whole(session, report)
    return folders


def _queries(marker: str) -> list[tuple[str, str]]:
    """Return the page and the text of each block that starts with the marker."""
    pattern = re.compile(rf"^```{marker}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(page.name, query) for page in PAGES for query in pattern.findall(_text(page))]


def test_there_are_queries_to_run() -> None:
    """The blocks are found: without this the next tests could pass by finding none."""
    assert len(_queries("sql")) >= 5
    assert len(_queries("sql in a database of your own")) >= 1


def test_queries_in_the_documents_answer(demo_folders: Folders) -> None:
    """Each query that a page shows runs as `tracklake sql` would run it, and finds something."""
    shown = _queries("sql")
    shown += [
        (page.name, query)
        for page in PAGES
        for code in _code(page)
        for query in re.findall(r'make sql Q="(select [^"]*)"', code)
    ]
    for page, query in shown:
        with reading.snapshot(demo_folders) as connection:
            answer = reading.ask(connection, query, limit_s=60, most_rows=100)
        assert answer.rows, f"{page}: {query}"
        assert any(value is not None for value in answer.rows[0]), f"{page}: {query}"


def test_queries_in_databases_of_ones_own_run(
    demo_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown for people with a database of their own works from where they stand."""
    monkeypatch.chdir(demo_folders.data.parent)
    for _, query in _queries("sql in a database of your own"):
        with duckdb.connect() as connection:
            connection.execute(query)
