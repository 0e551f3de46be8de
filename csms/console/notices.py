"""What happened and what to do about it, as blocks: problems, results, nothing to show. Pure."""

from csms.console.desk import Refused
from csms.console.markup import Content, Html, joined, tag


def problem_banner(refusal: Refused, words: dict[str, str]) -> Html:
    """A refusal of the API: its words, the fields it names, its number for the log."""
    fields = [
        tag("li", tag("b", one.get("field")), " – ", one.get("problem"), ". ", one.get("fix"))
        for one in refusal.errors
    ]
    number = tag("p", f"{words['report_as']} {refusal.instance}", cls="quiet") if refusal.instance else ""
    hint = words.get(f"hint_{refusal.status}")
    return tag(
        "div",
        tag("b", symbol_text(refusal, words)),
        tag("p", refusal.detail) if refusal.detail else "",
        tag("ul", joined(fields)) if fields else "",
        tag("p", hint, cls="quiet") if hint else "",
        number,
        cls="banner",
        role="alert",
    )


def symbol_text(refusal: Refused, words: dict[str, str]) -> str:
    """The kind of refusal in the reader's language, else as the API has it."""
    return words.get(f"problem_{refusal.status}", refusal.title)


def done_banner(text: Content, words: dict[str, str]) -> Html:
    """Something was done."""
    return tag("div", tag("b", words["done"]), tag("p", text), cls="banner done", role="status")


def note_banner(title: str, text: Content) -> Html:
    """Something to know."""
    return tag("div", tag("b", title), tag("p", text), cls="banner note", role="status")


def empty(title: str, what_to_do: Content = "") -> Html:
    """Nothing to show, and what to do about it."""
    return tag("div", tag("b", title), tag("span", what_to_do), cls="empty")


def not_there(answer: object, words: dict[str, str]) -> Html | None:
    """What stands where a part of a page could not be read; None when it could."""
    if not isinstance(answer, Refused):
        return None
    if answer.status in (404, 405):
        return empty(words["not_offered"])
    return problem_banner(answer, words)
