"""One set of symbols: what a state looks like by shape, so that colour is never all that tells. Pure."""

from csms.console.markup import Html, joined, tag
from csms.console.texts import DASH

# In a square of 16; `fill` or `line` is how it is drawn. As someone looks for them: trouble first.
SHAPES: dict[str, tuple[str, str]] = {
    "faulted": ("M8 1 15.5 15H.5z", "fill"),
    "offline": ("m3 3 10 10M13 3 3 13", "line"),
    "charging": ("M9.5.5 3 9h4l-1 6.5L13 7H9z", "fill"),
    "occupied": ("M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 2v12", "line"),
    "available": ("M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", "line"),
    "unavailable": ("M2.5 2.5h11v11h-11zM2.5 8h11", "line"),
    "never-seen": ("M8 6.5a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3z", "fill"),
    "good": ("m2.5 8.5 3.5 4 7.5-9", "line"),
    "waiting": ("M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.5V8l2.5 2", "line"),
    "bad": ("M8 1 15 8l-7 7-7-7zM8 4.5V9M8 10.5v1.5", "line"),
    "paused": ("M5 2.5v11M11 2.5v11", "line"),
    "none": ("M3 8h10", "line"),
}
STATES = tuple(SHAPES)[:7]
# Words of the API and the shape that stands for them.
LIKE = {
    "online": "good", "accepted": "good", "sent": "good", "ended": "good", "in-use": "good",
    "connected": "good", "answered": "good", "resolved": "good", "complete": "good", "delivered":
    "good", "active": "charging", "suspended-ev": "occupied", "suspended-evse": "occupied", "preparing":
    "occupied", "finishing": "occupied", "reserved": "occupied", "pending": "waiting",
    "suspected-ended": "waiting", "under-construction": "waiting", "dead": "bad", "rejected": "bad",
    "blocked": "bad", "expired": "bad", "invalid": "bad", "silent": "bad", "failed": "bad",
    "not-connected": "offline", "not-supported": "unavailable", "dropped": "none", "closed": "none",
    "maintenance": "unavailable", "critical": "faulted", "warning": "bad",
    "major": "bad", "minor": "waiting", "open": "bad", "provisional":
    "waiting", "running": "waiting", "finished": "good", "stopped": "bad", "cancelled": "none",
}  # fmt: skip


def sprite() -> Html:
    """Every shape once; `symbol` refers to them."""
    made = (
        tag("symbol", tag("path", d=path, cls=kind), id=f"s-{name}", viewBox="0 0 16 16")
        for name, (path, kind) in SHAPES.items()
    )
    return tag("svg", joined(made), cls="sprite", aria_hidden="true", width=0, height=0)


def symbol(state: str) -> Html:
    """The shape of a state alone; words stand beside it."""
    name = state if state in SHAPES else LIKE.get(state, "none")
    use = tag("use", href=f"#s-{name}")
    return tag("svg", use, cls=f"sym {name}", viewBox="0 0 16 16", aria_hidden="true", focusable="false")


def state_mark(state: str | None, words: dict[str, str]) -> Html:
    """A state as shape and word. What no language has a word for is shown as it is."""
    if not state:
        return tag("span", DASH, cls="state")
    text = words.get(f"state_{state}") or words.get(state) or state
    return tag("span", symbol(state), text, cls="state")
