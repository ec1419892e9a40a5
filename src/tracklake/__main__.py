"""`python -m tracklake` and the `tracklake` command."""


def main() -> None:
    """Run the command line; imported here, because each worker imports this module anew."""
    from tracklake import cli

    cli.main()


if __name__ == "__main__":
    main()
