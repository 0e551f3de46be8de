"""What stands around every page, as markup: navigation, person, search, confirmation. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from csms.console.markup import Content, Html, joined, tag
from csms.console.person import Person
from csms.console.symbols import sprite, symbol
from csms.console.texts import Language

GROUPS = ("operation", "customers", "authorities", "administration")


class Entry(NamedTuple):
    """A page of the navigation. `name` is the key of its title."""

    path: str
    name: str
    group: str


class Block(NamedTuple):
    """A block beside the page's own content."""

    content: Html
    kind: str
    cls: str


class Hit(NamedTuple):
    """Something the search found. `kind` is the key of its kind."""

    href: str
    title: str
    kind: str


def head(base: str, language: Language) -> Html:
    """What goes into the document's head."""
    return joined(
        (
            Html(f"<script>document.documentElement.lang = '{language}'</script>"),
            tag("script", src=f"{base}/head.js"),
            tag("link", rel="stylesheet", href=f"{base}/console.css"),
            Html(f'<script src="{base}/console.js" defer></script>'),
        )
    )


def around(
    person: Person,
    operators: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    current: str,
    words: dict[str, str],
) -> list[Block]:
    """The blocks before the page: skip link, bar of small screens, navigation."""
    skip = joined((sprite(), tag("a", words["skip"], href="#content", cls="skip")))
    return [
        Block(skip, "div", "before"),
        Block(_topbar(words), "header", "topbar"),
        Block(_side(person, operators, entries, current, words), "aside", "side"),
        Block(Html(""), "div", "veil"),
    ]


def _topbar(words: dict[str, str]) -> Html:
    menu = tag("button", "☰", type="button", data_drawer="", aria_label=words["menu"], aria_expanded="false")
    find = tag("button", "⌕", type="button", data_search="", aria_label=words["search"])
    return joined((menu, _brand(words), find))


def _brand(words: dict[str, str]) -> Html:
    return tag("a", symbol("charging"), words["title"], href="/", cls="brand")


def _side(
    person: Person,
    operators: Sequence[Mapping[str, Any]],
    entries: Sequence[Entry],
    current: str,
    words: dict[str, str],
) -> Html:
    find = tag(
        "button",
        words["search"],
        tag("kbd", "/"),
        type="button",
        data_search="",
        cls="find",
        aria_keyshortcuts="/ Control+K",
    )
    groups = joined(_group(name, entries, current, words) for name in GROUPS)
    nav = tag("nav", groups, aria_label=words["navigation"])
    return joined((_brand(words), find, nav, _person(person, operators, words)))


def _group(name: str, entries: Sequence[Entry], current: str, words: dict[str, str]) -> Html:
    items = joined(
        tag(
            "li",
            tag("a", words[one.name], href=one.path, aria_current="page" if one.path == current else None),
        )
        for one in entries
        if one.group == name
    )
    return joined(
        (
            tag("h2", words[f"group_{name}"], id=f"group-{name}"),
            tag("ul", items, aria_labelledby=f"group-{name}"),
        )
    )


def _person(person: Person, operators: Sequence[Mapping[str, Any]], words: dict[str, str]) -> Html:
    who = tag(
        "div",
        tag("div", person.name or words["visitor"]),
        tag(
            "div",
            words.get(f"role_{person.role}", person.role),
            " · ",
            scope_text(person, operators, words),
            cls="quiet",
        ),
        cls="who",
    )
    other = "en" if words["other_language"] == "English" else "zh-CN"
    language = tag("button", words["other_language"], type="button", data_language=other, lang=other)
    theme = tag(
        "button", "◐", type="button", data_theme_switch="", aria_label=words["theme"], title=words["theme"]
    )
    if person.is_signed_in:
        leave = tag(
            "form", tag("button", words["sign_out"], type="submit"), method="post", action="/sign-out"
        )
    else:
        leave = tag("a", words["sign_in"], href="/sign-in", cls="button")
    return tag("div", who, tag("div", language, theme, leave, cls="row"), cls="person")


def scope_text(person: Person, operators: Sequence[Mapping[str, Any]], words: dict[str, str]) -> str:
    """Whose records a person sees."""
    if person.operator is None:
        return words["scope_all"]
    if person.sites is not None:
        return ", ".join(person.sites)
    names = {one["code"]: one["name"] for one in operators}
    return str(names.get(person.operator, person.operator))


def page_head(title: Content, *right: Content, crumb: Content = None) -> Html:
    """The top of a page: what it is, where it belongs, what can be done."""
    above = tag("div", crumb, cls="crumb", style="flex-basis:100%") if crumb is not None else ""
    return tag(
        "div",
        above,
        tag("h1", title, id="content", tabindex=-1),
        tag("div", joined(right), cls="right"),
        cls="page-head",
    )


def confirm(words: dict[str, str]) -> Html:
    """Asked before something dangerous."""
    no = tag("button", words["cancel"], value="no", autofocus="")
    yes = tag("button", words["go_ahead"], value="yes", cls="danger")
    form = tag("form", tag("p", id="confirm-text"), tag("div", no, yes, cls="row"), method="dialog")
    return tag("dialog", form, id="confirm", aria_label=words["confirm"])


def search_field(words: dict[str, str]) -> Html:
    """Where one types what one looks for."""
    return tag(
        "input",
        id="search-text",
        type="search",
        placeholder=words["search_hint"],
        aria_label=words["search_hint"],
        autocomplete="off",
        spellcheck="false",
        role="combobox",
        aria_expanded="true",
        aria_controls="search-found",
        aria_autocomplete="list",
    )


def search_results(hits: Iterable[Hit], words: dict[str, str]) -> Html:
    """What was found, to be chosen with arrows and Enter."""
    options = [
        tag(
            "div",
            tag("span", hit.title),
            tag("span", words[hit.kind], cls="kind"),
            role="option",
            id=f"hit-{n}",
            data_href=hit.href,
            aria_selected="true" if n == 0 else "false",
        )
        for n, hit in enumerate(hits)
    ]
    nothing = tag("p", words["search_nothing"], cls="empty", role="status")
    return joined(
        (
            tag("div", joined(options), id="search-found", role="listbox", aria_label=words["search"]),
            "" if options else nothing,
        )
    )
