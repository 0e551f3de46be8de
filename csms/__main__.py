"""`python -m csms` and the `csms` command."""

from csms.cli import main

if __name__ == "__main__":
    main()
