"""What the scheduler's crontab may say, what is refused and how, and how its time is changed."""

from pathlib import Path

import pytest
from crontab import CronTab
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tracklake.errors import ConfigError
from tracklake.scheduling import crontab_file, lines

_VALUES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = st.tuples(value, value).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 99)).map(
        lambda pair: f"{pair[0]}/{pair[1]}"
    )
    item = st.one_of(st.just("*"), value.map(str), span, step)
    return st.lists(item, min_size=1, max_size=3).map(",".join)


schedules = st.tuples(*(_field(low, high) for low, high in _VALUES)).map(" ".join)


def test_the_crontab_that_comes_along_runs_a_flow_at_five() -> None:
    """The file in the repository is right and runs one flow, at 05:00."""
    (line,) = crontab_file.load(REPOSITORY / "cron" / "tracklake.cron")
    assert (line.schedule, line.words, line.comment) == ("0 5 * * *", ("flow",), "flow")
    (same,) = lines.parse(crontab_file.NEW, "new")
    assert (same.schedule, same.words) == (line.schedule, line.words)


def test_several_lines_with_names_specials_and_quotes() -> None:
    """Names of days, words such as @daily, quoted arguments and tabs mean what they do in cron."""
    text = (
        "# comment\n\n30 6 * jan,FEB mon-fri\ttracklake  flow --backfill # winter\n"
        "@daily tracklake import 'a b' # files\n"
    )
    first, second = lines.parse(text, "x")
    assert first.schedule == "30 6 * jan,FEB mon-fri"
    assert (first.number, first.words, first.comment) == (3, ("flow", "--backfill"), "winter")
    assert second.key == "0 0 * * * tracklake import 'a b'"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("99 5 * * * tracklake flow", "minute `99`"),
        ("0 24 * * * tracklake flow", "hour `24`"),
        ("0 5 32 * * tracklake flow", "day of the month `32`"),
        ("0 5 L * * tracklake flow", "day of the month `L`"),
        ("0 5 * 13 * tracklake flow", "month `13`"),
        ("0 5 * * tracklake flow", "day of the week `tracklake`"),
        ("0 5 * * 1#2 tracklake flow", "day of the week `1#2`"),
        ("5/15 * * * * tracklake flow", "minute `5/15`"),
        ("*/0 * * * * tracklake flow", "minute `*/0`"),
        ("0 22-2 * * * tracklake flow", "hour `22-2`"),
        ("0 5 30 2 * tracklake flow", "never comes"),
        ("0 5 *", "3 fields"),
        ("0 5 * * *", "a command is missing"),
        ("@daily", "a command is missing"),
        ("@reboot tracklake flow", "@reboot"),
        ("TZ=Europe/Madrid", "stand in .env"),
        ("0 5 * * * tracklake flow >> log", "no shell"),
        ("0 5 * * * tracklake flow; rm x", "no shell"),
        ("0 5 * * * tracklake 'flow", "quotation mark"),
        ("0 5 * * * /bin/sh -c x", "is not run by this scheduler"),
        ("0 5 * * * tracklake", "is not run by this scheduler"),
        ("0 5 * * * tracklake fow", "`tracklake fow` is not run"),
        ("0 5 * * * tracklake flow\x00", "control character"),
        ("0 5 * * * tracklake flow", "says the same as line 1"),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_field(row: str, said: str) -> None:
    """Whatever is wrong in a line names the file, the line and what it is; nothing is skipped."""
    with pytest.raises(ConfigError) as caught:
        lines.parse(f"0 5 * * * tracklake flow\n{row}\n", "cron/x.cron")
    assert "cron/x.cron, line 2" in str(caught.value)
    assert said in str(caught.value)


def test_a_crontab_without_a_line_that_is_on_is_refused() -> None:
    """A line that is commented out leaves nothing to run, and that is said."""
    with pytest.raises(ConfigError, match="no line that is switched on"):
        lines.parse("# 0 5 * * * tracklake flow\n", "x")


def test_files_from_windows_are_understood(tmp_path: Path) -> None:
    """A byte order mark and CRLF change nothing; UTF-16 is named instead of read wrongly."""
    path = tmp_path / "tracklake.cron"
    path.write_bytes(b"\xef\xbb\xbf# x\r\n0 5 * * * tracklake flow # flow\r\n")
    assert [line.key for line in crontab_file.load(path)] == ["0 5 * * * tracklake flow"]
    crontab_file.set_schedule(path, "30 6 * * *")
    assert path.read_bytes() == b"# x\r\n30 6 * * * tracklake flow # flow\r\n"
    path.write_bytes("0 5 * * * tracklake flow".encode("utf-16"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        crontab_file.load(path)


def test_set_changes_one_line_and_keeps_the_rest(tmp_path: Path) -> None:
    """Comments, blank lines, other jobs, the mode and the link stay; no half file is ever there."""
    real = tmp_path / "real.cron"
    text = (
        "# a\n#b\n\n0 5 * * *   tracklake flow --backfill # flow\n\n0 9 * * 1 tracklake tiles\n#c"
    )
    real.write_text(text, encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "tracklake.cron"
    link.symlink_to(real)
    crontab_file.set_schedule(link, "15 7 * * 1-5")
    new = "15 7 * * 1-5 tracklake flow --backfill # flow"
    assert real.read_text() == text.replace("0 5 * * *   tracklake flow --backfill # flow", new)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.cron", "tracklake.cron"]


def test_set_mends_a_bad_time_and_makes_a_missing_file(tmp_path: Path) -> None:
    """What `set` is for also works where the time is bad, the line is off, or no file is there."""
    path = tmp_path / "cron" / "tracklake.cron"
    for before in (None, "99 5 * * * tracklake flow # flow\n", "# 0 5 * * * tracklake flow", ""):
        if before is not None:
            path.write_text(before)
        crontab_file.set_schedule(path, "@hourly")
        assert [line.key for line in crontab_file.load(path)] == ["0 * * * * tracklake flow"]


@pytest.mark.parametrize(
    ("before", "schedule", "said"),
    [
        ("0 5 * * * tracklake flow\n", "0 25 * * *", "hour `25`"),
        ("0 5 * * * tracklake flow\n", "0 5 * *", "4 fields"),
        ("0 5 * * * tracklake flow\n0 6 * * * tracklake tiles\n", "1 1 * * *", "several lines"),
        ("0 5 * * * tracklake flow # flow\n0 99 * * * tracklake tiles\n", "1 1 * * *", "line 2"),
    ],
)
def test_set_refuses_and_leaves_the_file(
    tmp_path: Path, before: str, schedule: str, said: str
) -> None:
    """A bad time, or a file in which it is unclear or wrong elsewhere, changes nothing on disk."""
    path = tmp_path / "tracklake.cron"
    path.write_text(before)
    with pytest.raises(ConfigError, match=said):
        crontab_file.set_schedule(path, schedule)
    assert path.read_text() == before


@given(schedules)
def test_what_is_accepted_python_crontab_understands_the_same(schedule: str) -> None:
    """python-crontab takes every schedule we take, so that it never drops a line silently."""
    try:
        checked = lines.checked_schedule(schedule, "x")
    except ConfigError:
        return
    (item,) = CronTab(tab=f"{checked} tracklake flow # flow")
    assert item.is_valid()
    assert item.is_enabled()
    assert lines.with_schedule("0 5 * * * tracklake flow\n", checked, "x").count("\n") == 1


def test_an_edit_counts_when_two_looks_saw_the_same(tmp_path: Path) -> None:
    """A file that is being written is not taken; a bad one leaves the schedule and is named."""
    path = tmp_path / "tracklake.cron"
    path.write_text("0 5 * * * tracklake flow\n")
    crontab = crontab_file.Crontab(path)
    assert not crontab.look()
    path.write_text("0 6 * * * tracklake flow\n")
    assert not crontab.look()
    assert crontab.is_settling
    assert crontab.look()
    assert crontab.lines[0].schedule == "0 6 * * *"
    path.write_text("0 66 * * * tracklake flow\n")
    assert (crontab.look(), crontab.look(), crontab.look()) == (False, False, False)
    assert "line 1: the hour `66`" in crontab.problem
    assert crontab.lines[0].schedule == "0 6 * * *"
    path.unlink()
    assert (crontab.look(), crontab.look()) == (False, False)
    assert "there is no" in crontab.problem
    path.write_text("0 6 * * * tracklake flow\n")
    assert (crontab.look(), crontab.look()) == (False, False)
    assert crontab.problem == ""
