"""Nothing that comes from a charging station can become markup."""

import pytest

from csms.console.markup import Html, escaped, joined, table, tag

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='x",
    "&lt;",
    "{{7*7}}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(text: str) -> None:
    """As content, as an attribute, in a table."""
    made = [
        tag("p", text),
        tag("i", title=text),
        joined([text, text]),
        table([(text, text)], [[text]], caption=text),
    ]

    for each in made:
        assert text not in each or text == "{{7*7}}"
        assert "<script" not in each
        assert "<img" not in each
        assert each.count('"') % 2 == 0


def test_markup_stays_markup() -> None:
    """What was made here is not escaped again, alone or inside."""
    inner = tag("b", "x & y")

    assert escaped(inner) == inner
    assert tag("p", inner, " z") == "<p><b>x &amp; y</b> z</p>"


def test_attributes() -> None:
    """`cls` is the class, `_` is `-`, None is left out; an element without end has none."""
    assert tag("i", cls="a b", aria_label="x", title=None) == '<i class="a b" aria-label="x"></i>'
    assert tag("input", name="key", required="") == '<input name="key" required="">'


def test_nothing_is_nothing() -> None:
    """None shows nothing, zero shows zero."""
    assert tag("td", None) == "<td></td>"
    assert tag("td", 0) == "<td>0</td>"


def test_a_part_of_markup_is_text_again() -> None:
    """Only whole pieces are trusted: what is cut out of one is escaped."""
    assert not isinstance(Html("<b>")[:2], Html)
