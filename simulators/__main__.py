"""Command line: `python -m simulators fleet | station | city`. Arguments and pictures only."""

from __future__ import annotations

from simulators.cli import main

if __name__ == "__main__":
    main()
