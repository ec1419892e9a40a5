"""Run the benchmarks and write docs/benchmarks.md: python -m bench [[--write] a few of PARTS].

Without names all are run and the page is written; with --write those named replace their sections.
"""

import re
import subprocess
import sys

from bench import measure

PARTS = ("fit_decoding", "flow", "compact", "strava", "tiles", "models", "matching")
PAGE = measure.REPOSITORY / "docs" / "benchmarks.md"
_INTRODUCTION = """# Benchmarks

Written by `make bench`; every figure comes from one run of it on the machine named here. Ratios
come first: they travel between machines, seconds do not."""


def main() -> None:
    """Run the parts named, or all; write the page if all of them were run, or when told to."""
    named = [part for part in sys.argv[1:] if part != "--write"]
    machine = f"{measure.machine()}."
    sections = [_run(part) for part in named or PARTS]
    if not named:
        PAGE.write_text("\n\n".join([_INTRODUCTION, machine, *sections]) + "\n")
    elif "--write" in sys.argv:
        for section in sections:
            PAGE.write_text(_replaced(PAGE.read_text(), section, machine))


def _run(part: str) -> str:
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
    section = done.stdout.strip()
    print(section, flush=True)
    return section


def _replaced(page: str, section: str, machine: str) -> str:
    """Put a section of a run of its own in its place, or at the end, with where it was measured."""
    title, _, rest = section.partition("\n\n")
    new = f"{title}\n\nBy itself: {machine}\n\n{rest}"
    parts = re.split(r"\n+(?=## )", page.strip())
    kept = [new if part.startswith(f"{title}\n") else part for part in parts]
    return "\n\n".join(kept if new in kept else [*kept, new]) + "\n"


if __name__ == "__main__":
    main()
