"""`python -m tracklake` and the `tracklake` command."""

import signal
import sys


def main() -> None:
    """Run the command line; imported here, because each worker imports this module anew."""
    try:
        from tracklake import cli

        cli.main()
    except KeyboardInterrupt:  # before a flow began, or after it ended
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
