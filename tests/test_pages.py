"""Pages as they were received: what is written is what is read, and what is damaged is known."""

import datetime as dt
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tracklake import bronze, pages, rollup
from tracklake.errors import InvalidData
from tracklake.pages import Page, Run

NOW = dt.datetime(2026, 11, 20, 6, 2, 3, 456_789, tzinfo=dt.UTC)


def begun(root: Path, now: dt.datetime = NOW, athlete: str = "me") -> Run:
    """Begin a run of Strava's list."""
    return Run.begin(root, "strava", "activities", athlete, now)


def row(source_id: str) -> dict[str, object]:
    """Return the least that a row of a shard has."""
    return {
        "source": "strava",
        "athlete": "me",
        "source_id": source_id,
        "record_id": int(source_id),
    }


def unsealed(root: Path, athlete: str = "me") -> list[pages.Unsealed]:
    """Find the runs that died."""
    return pages.unsealed(root, "strava", "activities", athlete)


PAGES = st.lists(
    st.builds(Page, st.just(""), st.just(200), st.binary(max_size=300))
    | st.builds(
        Page,
        st.from_regex(r"[a-z0-9:_é-]{1,12}", fullmatch=True),
        st.integers(200, 599),
        st.binary(),
    ),
    min_size=1,
    max_size=12,
)


@given(told=PAGES)
def test_pages_come_back_as_they_came(
    tmp_path_factory: pytest.TempPathFactory, told: list[Page]
) -> None:
    """Subject, status and body of every page are read back, in the order in which they came."""
    root = tmp_path_factory.mktemp("bronze")
    run = begun(root)
    for page in told:
        run.add(page)
    [found] = unsealed(root)
    assert list(found.pages()) == told
    assert found.damaged == []


def test_many_pages_stay_in_order(tmp_path: Path) -> None:
    """The order is that of numbers, not of names, also beyond 9,999."""
    run = begun(tmp_path)
    run.count = 9_997
    for number in range(4):
        run.add(Page("", 200, b"%d" % number))
    [found] = unsealed(tmp_path)
    assert [page.body for page in found.pages()] == [b"0", b"1", b"2", b"3"]


def test_a_sealed_run_is_no_more_looked_at(tmp_path: Path) -> None:
    """With its shard, even an empty one, a run is done; its rows bear the moment it began."""
    for rows in ([], [row("1"), row("2")]):
        run = begun(tmp_path)
        run.add(Page("", 200, b"[]"))
        assert len(unsealed(tmp_path)) == 1
        shard = run.seal(rows)
        assert unsealed(tmp_path) == []
        table = pq.read_table(shard, partitioning=None)
        assert table.num_rows == len(rows)
        assert set(table["ingested_at"].to_pylist()) <= {NOW}


def test_a_folder_without_pages_is_no_run(tmp_path: Path) -> None:
    """A kill between making the folder and the first page leaves nothing to recover."""
    begun(tmp_path).folder.mkdir(parents=True)
    assert unsealed(tmp_path) == []


def test_other_athletes_runs_are_theirs(tmp_path: Path) -> None:
    """Runs are found for the athlete whose they are."""
    begun(tmp_path, athlete="ana").add(Page("", 200, b"[]"))
    assert unsealed(tmp_path) == []
    assert len(unsealed(tmp_path, "ana")) == 1


def test_runs_are_found_oldest_first(tmp_path: Path) -> None:
    """Several runs that died come in the order in which they began, over years."""
    moments = [NOW, NOW - dt.timedelta(days=400), NOW + dt.timedelta(seconds=1)]
    for moment in moments:
        begun(tmp_path, moment).add(Page("", 200, b"[]"))
    assert [found.run.began_at for found in unsealed(tmp_path)] == sorted(moments)


def test_two_runs_of_one_moment_do_not_meet(tmp_path: Path) -> None:
    """Runs that begin at the same microsecond have folders of their own."""
    for number in range(2):
        begun(tmp_path).add(Page("", 200, b"%d" % number))
    bodies = {page.body for found in unsealed(tmp_path) for page in found.pages()}
    assert bodies == {b"0", b"1"}


def test_a_run_whose_shard_was_rolled_up_is_done(tmp_path: Path) -> None:
    """When a closed year's shards became one file and were removed, their pages are left alone."""
    shards = []
    for number in range(2):
        run = begun(tmp_path, NOW + dt.timedelta(seconds=number))
        run.add(Page("", 200, b"[]"))
        shards.append(run.seal([row(f"{number + 1}")]))
    rollup.roll_up_shards(shards[0].parent.parent, shards)
    for shard in shards:
        shard.unlink()
    assert unsealed(tmp_path) == []


# ---- damage


def damaged(body: bytes, damage: str) -> bytes:
    """Return a packed page as a failing disk may give it."""
    packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(body)
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0x10
    return {
        "cut": packed[: len(packed) // 2],
        "cut by a byte": packed[:-1],
        "empty": b"",
        "zeroed": bytes(len(packed)),
        "flipped": bytes(flipped),
        "not packed": body,
    }[damage]


@pytest.mark.parametrize(
    "damage", ["cut", "cut by a byte", "empty", "zeroed", "flipped", "not packed"]
)
def test_a_damaged_page_is_named_and_the_rest_read(tmp_path: Path, damage: str) -> None:
    """A page that is not what was written is never taken for one; the others come all the same."""
    run = begun(tmp_path)
    for number in range(3):
        run.add(Page("", 200, b'[{"id": %d}]' % number * 50))
    path = run.folder / "page-0002.json.zst"
    path.write_bytes(damaged(b'[{"id": 1}]' * 50, damage))
    with pytest.raises(InvalidData) as caught:
        pages.read(path)
    assert caught.value.reason == "damaged_page"
    [found] = unsealed(tmp_path)
    assert len(list(found.pages())) == 2
    assert found.damaged == [path]


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    """Whichever bit of a page's file flips, the body is as it was, or the page is damaged."""
    body = b'{"id": 14000007919, "name": "Morning Run"}, ' * 20
    run = begun(tmp_path_factory.mktemp("bronze"))
    run.add(Page("", 200, body))
    path = run.folder / "page-0001.json.zst"
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1 << bit
    path.write_bytes(data)
    try:
        assert pages.read(path).body == body
    except InvalidData as error:
        assert error.reason == "damaged_page"  # noqa: PT017 both ends are right


def test_a_page_that_unpacks_to_too_much(tmp_path: Path) -> None:
    """A file that would unpack to more than any page is refused before memory is taken for it."""
    path = tmp_path / "page-0001.json.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=1).compress(bytes((64 << 20) + 1)))
    with pytest.raises(InvalidData, match="too large"):
        pages.read(path)


def test_a_lost_page_is_not_written_over(tmp_path: Path) -> None:
    """A recovered run that goes on counts from its last page, also if one before it is lost."""
    run = begun(tmp_path)
    for number in range(3):
        run.add(Page("", 200, b"%d" % number))
    (run.folder / "page-0002.json.zst").unlink()
    [found] = unsealed(tmp_path)
    assert [page.body for page in found.pages()] == [b"0", b"2"]
    found.run.add(Page("", 200, b"new"))
    [again] = unsealed(tmp_path)
    assert [page.body for page in again.pages()] == [b"0", b"2", b"new"]


@pytest.mark.parametrize(
    "name", ["page-x.json.zst", "page-0001.json.zst.bak", "page-.json.zst", "notes.txt"]
)
def test_strange_files_beside_pages(tmp_path: Path, name: str) -> None:
    """Files that are no pages are left alone."""
    run = begun(tmp_path)
    run.add(Page("7", 404, b"{}"))
    (run.folder / name).write_bytes(b"x")
    [found] = unsealed(tmp_path)
    assert list(found.pages()) == [Page("7", 404, b"{}")]
    with pytest.raises(InvalidData):
        pages.read(run.folder / name)


@given(st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime(1900, 1, 1)))  # noqa: DTZ001
def test_a_stamp_says_its_moment(moment: dt.datetime) -> None:
    """What bronze's folder names say of a moment is read back, to the microsecond."""
    assert pages.moment_of(bronze.stamp(moment)) == moment


def test_a_run_is_told_by_its_name(tmp_path: Path) -> None:
    """A run's folder is told from one that a shard's hash gives its name."""
    run = begun(tmp_path)
    assert pages.is_run(run.folder)
    assert pages.began_at(run.folder) == NOW == run.began_at
    shard = bronze.land_shard(tmp_path, "activities", [row("1")], ingested_at=NOW)
    assert shard is not None
    assert not pages.is_run(shard.parent)
