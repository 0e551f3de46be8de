"""The status page for people."""

from csms.console.status import ConsoleParts, mount

__all__ = ["ConsoleParts", "mount"]
