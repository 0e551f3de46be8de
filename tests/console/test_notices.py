"""Problems, results and empty places: what happened and what to do."""

from csms.console.desk import Refused
from csms.console.notices import done_banner, empty, not_there, note_banner, problem_banner
from csms.console.texts import TEXTS

EN = TEXTS["en"]
REFUSED = Refused(
    422,
    {
        "title": "The request has values that cannot be used",
        "detail": "<script>",
        "errors": [{"field": "body.kind", "problem": "it is odd", "fix": "Use soft."}],
        "instance": "urn:csms:request:7",
    },
)


def test_a_problem() -> None:
    """In the reader's language, with the fields, the fix and the number for the log; read out at once."""
    made = problem_banner(REFUSED, EN)

    assert 'role="alert"' in made
    assert "&lt;script&gt;" in made
    for part in ("Some values cannot be used", "body.kind", "it is odd", "Use soft.", "urn:csms:request:7"):
        assert part in made
    assert "有无法使用的值" in problem_banner(REFUSED, TEXTS["zh-CN"])
    assert "teapot" in problem_banner(Refused(418, {"title": "teapot"}), EN)


def test_other_notices() -> None:
    """Escaped, and of the right kind."""
    assert 'role="status"' in done_banner("<b>", EN)
    assert "&lt;b&gt;" in note_banner("x", "<b>")
    assert "add one" in empty("nothing", "add one")


def test_what_could_not_be_read() -> None:
    """What is not offered is no alarm; another refusal is."""
    assert not_there({"items": []}, EN) is None
    assert 'role="alert"' not in (not_there(Refused(404, {}), EN) or "")
    assert 'role="alert"' in (not_there(REFUSED, EN) or "")
