"""Run the benchmarks and write docs/benchmarks.md: python -m bench [fit_decoding flow compact strava]."""

import subprocess
import sys

from bench import measure

PARTS = ("fit_decoding", "flow", "compact", "strava")
PAGE = measure.REPOSITORY / "docs" / "benchmarks.md"
_INTRODUCTION = """# Benchmarks

Written by `make bench`; every figure comes from one run of it on the machine named here. Ratios
come first: they travel between machines, seconds do not."""


def main() -> None:
    """Run the parts named, or all; the page is written only when all of them were run."""
    parts = sys.argv[1:] or PARTS
    machine = measure.machine()
    sections = []
    for part in parts:
        measure.say(f"== {part}")
        done = subprocess.run(
            [sys.executable, "-m", f"bench.{part}"],
            cwd=measure.REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"bench.{part} ended with {done.returncode}: {done.stdout}")
        sections.append(done.stdout.strip())
        print(sections[-1], flush=True)
    if tuple(parts) == PARTS:
        PAGE.write_text("\n\n".join([_INTRODUCTION, machine + ".", *sections]) + "\n")


if __name__ == "__main__":
    main()
