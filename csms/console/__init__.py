"""The console: pages for people, over the HTTP API."""

from csms.console.status import ConsoleParts, mount
from csms.console.tiles import Tiles

__all__ = ["ConsoleParts", "Tiles", "mount"]
