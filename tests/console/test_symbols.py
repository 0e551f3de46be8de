"""A state has a shape of its own and a word beside it."""

from csms.console.symbols import SHAPES, STATES, sprite, state_mark, symbol
from csms.console.texts import TEXTS


def test_every_state_differs_in_shape() -> None:
    """Not by colour alone."""
    assert len({SHAPES[state] for state in STATES}) == len(STATES)
    assert all(f'id="s-{name}"' in sprite() for name in SHAPES)


def test_words_beside_the_shape() -> None:
    """In the language; a word that nobody knows is shown, as text."""
    assert "faulted" in state_mark("faulted", TEXTS["en"])
    assert "故障" in state_mark("faulted", TEXTS["zh-CN"])
    assert "&lt;b&gt;" in state_mark("<b>", TEXTS["en"])
    assert 'href="#s-none"' in symbol("<b>")
    assert "–" in state_mark(None, TEXTS["en"])
