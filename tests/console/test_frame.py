"""The frame: navigation, who looks, search results; nothing breaks out."""

from csms.console.frame import (
    Entry,
    Hit,
    around,
    confirm,
    head,
    page_head,
    scope_text,
    search_field,
    search_results,
)
from csms.console.person import NOBODY, Person
from csms.console.texts import TEXTS
from tests.console.kit import HOSTILE

EN = TEXTS["en"]
ENTRIES = [Entry("/", "page_overview", "operation"), Entry("/audit", "page_audit", "administration")]


def test_around() -> None:
    """The current page is marked; a person signs out, nobody signs in."""
    li = Person(HOSTILE, "viewer", "123456789")
    made = "".join(block.content for block in around(li, [], ENTRIES, "/audit", EN))
    public = "".join(block.content for block in around(NOBODY, [], ENTRIES, "/", EN))

    assert 'href="/audit" aria-current="page"' in made
    assert "<img" not in made
    assert 'action="/sign-out"' in made
    assert 'href="/sign-in"' in public
    assert 'href="#content"' in made


def test_scope() -> None:
    """Everything, one operator by its name, or some sites."""
    operators = [{"code": "123456789", "name": "Acme"}]

    assert scope_text(Person("a", "admin", None), operators, EN) == "all operators"
    assert scope_text(Person("a", "admin", "123456789"), operators, EN) == "Acme"
    assert scope_text(Person("a", "admin", "123456789", ("S01", "S02")), operators, EN) == "S01, S02"


def test_search() -> None:
    """The first hit is chosen; nothing found says so."""
    made = search_results([Hit("/x", HOSTILE, "station"), Hit("/y", "y", "site")], EN)

    assert made.count('role="option"') == 2
    assert made.count('aria-selected="true"') == 1
    assert "<img" not in made
    assert "Nothing found." in search_results([], EN)
    assert 'aria-controls="search-found"' in search_field(EN)


def test_other_parts() -> None:
    """Heading, confirmation, head of the document."""
    assert '<h1 id="content" tabindex="-1">&lt;' in page_head("<", crumb="c")
    assert 'value="yes"' in confirm(EN)
    assert "lang = 'zh-CN'" in head("/console/1", "zh-CN")
