"""How fast FIT files become columns: ours, its peers and a pass in C, in one run.

    .venv/bin/python bench/fit_decoding.py [--json OUT] [--corpus DIR] [--subset-bytes N]

Task: the bytes of a file, in memory, to ten float64 columns of its record messages (timestamp,
position, altitude, distance, speed, heart rate, cadence, power, temperature), checksum verified.
CPU time of this process. The fast ones read all sound files with positions, best of seven rounds;
the slow ones a stratified subset once, and every ratio is taken on that same subset.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import datetime as dt
import importlib.metadata
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parent.parent / "shared" / "corpus"
ROUNDS = 7
SUBSET_BYTES = 1_500_000
TARGETS = {"fitparse": 200, "garmin-fit-sdk": 60}
NAMES: tuple[str, ...] = ("timestamp", "position_lat", "position_long", "altitude", "distance")
NAMES += ("speed", "heart_rate", "cadence", "power", "temperature")
WIDE = {"altitude": "enhanced_altitude", "speed": "enhanced_speed"}

Decode = Callable[[bytes], int]


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """CPU seconds of one decoder over some files."""

    name: str
    files: int
    megabytes: float
    records: int
    cpu_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """All of one run; memory: MB before and at the peak by decoder."""

    versions: dict[str, str]
    all_files: list[Timing]
    subset: list[Timing]
    memory: dict[str, tuple[str, str]]
    largest_mb: float


def ours_columns(data: bytes) -> int:
    from tracklake.formats.fit import read

    return sum(len(part.points) for part in read(data))


def ours_whole(data: bytes) -> int:
    from tracklake.formats.fit import decode

    return sum(len(recording.points) for recording in decode(data))


def by_fitparse(data: bytes) -> int:
    import fitparse

    rows = [m.get_values() for m in fitparse.FitFile(data).get_messages("record")]
    return _columns(rows, lambda row, name: row.get(WIDE.get(name, name), row.get(name)))


def by_garmin(data: bytes) -> int:
    from garmin_fit_sdk import Decoder, Stream

    decoder = Decoder(Stream.from_byte_array(bytearray(data)))
    messages, _ = decoder.read(convert_datetimes_to_dates=False, merge_heart_rates=False)
    rows = messages.get("record_mesgs", [])
    return _columns(rows, lambda row, name: row.get(WIDE.get(name, name), row.get(name)))


def by_fitdecode(data: bytes) -> int:
    import fitdecode

    with fitdecode.FitReader(data, check_crc=fitdecode.CrcCheck.RAISE) as frames:
        rows = [
            {field.name: field.value for field in frame.fields}
            for frame in frames
            if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.name == "record"
        ]
    return _columns(rows, lambda row, name: row.get(WIDE.get(name, name), row.get(name)))


def by_chiptime(data: bytes) -> int:
    import chiptime

    rows = [m.fields for m in chiptime.iter_messages(data) if m.name == "record"]
    return _columns(rows, lambda row, name: getattr(row.get(name), "value", None))


def _columns(rows: Sequence[object], get: Callable[..., object]) -> int:
    columns = np.full((len(NAMES), len(rows)), np.nan)
    for at, row in enumerate(rows):
        for which, name in enumerate(NAMES):
            value = get(row, name)
            if isinstance(value, dt.datetime):
                value = value.timestamp()
            if isinstance(value, int | float):
                columns[which, at] = value
    return columns.shape[1]


def c_scan(folder: Path) -> Decode | None:
    """Compile the pass in C; None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "fit_scan.so"
    source = HERE / "fit_scan.c"
    subprocess.run([compiler, "-O3", "-shared", "-fPIC", "-o", library, source, "-lm"], check=True)
    scan = ctypes.CDLL(str(library)).scan
    scan.restype = ctypes.c_long
    scan.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_void_p, ctypes.c_long]

    def decode(data: bytes) -> int:
        capacity = len(data) // 4
        columns = np.empty((10, capacity))
        count: int = scan(data, len(data), columns.ctypes.data, capacity)
        return count

    return decode


FAST: dict[str, Decode] = {"tracklake columns": ours_columns, "tracklake decode": ours_whole}
SLOW: dict[str, Decode] = {
    "fitparse": by_fitparse,
    "garmin-fit-sdk": by_garmin,
    "fitdecode": by_fitdecode,
    "chiptime": by_chiptime,
}
PACKAGES = {"fitparse": "python-fitparse"}


def sound_files(corpus: Path) -> list[bytes]:
    """Return the real files with positions that are one undamaged activity each."""
    from tracklake.formats.fit import read

    chosen = []
    for path in sorted((corpus / "fit").rglob("*.fit")):
        data = path.read_bytes()
        parts = read(data) if "cases" not in path.parts else ()
        is_sound = len(parts) == 1 and not parts[0].problems
        if is_sound and np.isfinite(parts[0].points.lat).sum() > 1:
            chosen.append(data)
    return chosen


def stratified(files: Sequence[bytes], limit: int) -> list[bytes]:
    """Return every n-th file by size, so that together they are about `limit` bytes."""
    ordered = sorted(files, key=len)
    step = max(1, round(sum(map(len, ordered)) / limit))
    return ordered[step // 2 :: step]


def timed(name: str, decode: Decode, files: Sequence[bytes], rounds: int) -> Timing:
    """Return the fastest of the rounds."""
    records, best_s = 0, float("inf")
    for _ in range(rounds):
        begin_s = time.process_time()
        records = sum(decode(data) for data in files)
        best_s = min(best_s, time.process_time() - begin_s)
    return Timing(name, len(files), sum(map(len, files)) / 1e6, records, best_s)


def peak_memory(name: str, path: Path) -> tuple[str, str]:
    """Return the memory of a process before it reads one file and at its peak, in MB."""
    command = [sys.executable, __file__, "--peak", name, "--file", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    before_mb, peak_mb = json.loads(answer.stdout)
    return f"{before_mb:.1f}", f"{peak_mb:.1f}"


def _print_peak(name: str, path: Path) -> None:
    decode = (FAST | SLOW)[name]
    decode(_small_file())  # imports what it needs
    data = path.read_bytes()
    before_mb = _peak_mb()
    decode(data)
    print(json.dumps([before_mb, _peak_mb()]))


def _peak_mb() -> float:
    """Return this program's own peak; ru_maxrss would count what its parent had before exec."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _small_file() -> bytes:
    from tracklake.formats.fit_writer import encode
    from tracklake.model import Points, Recording

    return encode(Recording(format="fit", points=Points.of(2, timestamp_s=[1.7e9, 1.7e9 + 1])))


def measure(corpus: Path, subset_bytes: int) -> Result:
    files = sound_files(corpus)
    subset = stratified(files, subset_bytes)
    with tempfile.TemporaryDirectory() as folder:
        scan = c_scan(Path(folder))
        fast = dict(FAST) if scan is None else {"C scan + CRC": scan, **FAST}
        whole = [timed(name, decode, files, ROUNDS) for name, decode in fast.items()]
        part = [timed(name, decode, subset, ROUNDS) for name, decode in fast.items()]
        part += [timed(name, decode, subset, 1) for name, decode in SLOW.items()]
        largest = Path(folder) / "largest.fit"
        largest.write_bytes(max(files, key=len))
        memory = {name: peak_memory(name, largest) for name in FAST | SLOW}
        largest_mb = largest.stat().st_size / 1e6
    for timings in (whole, part):
        assert len({timing.records for timing in timings}) == 1, timings
    versions = {name: importlib.metadata.version(PACKAGES.get(name, name)) for name in SLOW}
    return Result(versions, whole, part, memory, largest_mb)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def section(result: Result) -> str:
    """Return the results as a section of docs/benchmarks.md."""
    whole, part = result.all_files, result.subset
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return f"""## FIT decoding

`python bench/fit_decoding.py`: bytes in memory to ten float64 columns of the record messages,
checksum verified, CPU time of one process, real files of many makers. "columns" is that task;
"decode" adds sessions, laps, pauses, device and developer fields. Peers: {versions}.

All {whole[0].files} sound files with positions, {whole[0].megabytes:.1f} MB, best of {ROUNDS}:

{table(TIMED, [row(timing) for timing in whole])}

A stratified subset, {part[0].files} files, {part[0].megabytes:.2f} MB; the slow ones once:

{table([*TIMED, "× columns", "× decode", "target"], [against(t, part) for t in part])}

Peak memory of a process on the largest file ({result.largest_mb:.2f} MB):

{table(["decoder", "before, MB", "peak, MB"], [(n, *m) for n, m in result.memory.items()])}"""


TIMED = ("decoder", "CPU s", "MB/CPU s", "records/CPU s")


def row(timing: Timing) -> list[str]:
    return [
        timing.name,
        f"{timing.cpu_s:.3f}",
        f"{timing.megabytes / timing.cpu_s:.2f}",
        f"{timing.records / timing.cpu_s:,.0f}",
    ]


def against(timing: Timing, timings: Sequence[Timing]) -> list[str]:
    """Return a row with the CPU time as a multiple of ours, and of it what was aimed at."""
    ours = {other.name: other.cpu_s for other in timings}
    target = TARGETS.get(timing.name)
    return [
        *row(timing),
        *(f"{timing.cpu_s / ours[name]:.2f}" for name in FAST),
        "" if target is None else f"≥ {target}",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--subset-bytes", type=int, default=SUBSET_BYTES)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        _print_peak(arguments.peak, arguments.file)
        return 0
    if not (arguments.corpus / "fit").is_dir():
        print("## FIT decoding\n\nNot measured: the corpus of real FIT files is not here.")
        return 0
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        print("There is no C compiler here: the pass in C is left out.", file=sys.stderr)
    result = measure(arguments.corpus, arguments.subset_bytes)
    print(section(result))
    if arguments.json:
        text = json.dumps(dataclasses.asdict(result), indent=2)
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
