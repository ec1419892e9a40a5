"""`python -m tracklake` and the `tracklake` command."""

from tracklake.cli import main

if __name__ == "__main__":
    main()
