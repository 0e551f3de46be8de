"""Pages: everything escaped, nothing that runs or loads."""

import base64
import hashlib
import re

from csms.books.page import CSS, POLICY, document, facts, heading, number, paragraph, table, text

HOSTILE = "</style></title><script>alert(1)</script>\"'&"


def test_every_value_is_text() -> None:
    """In titles, facts, cells, marks and the footer."""
    parts = [
        heading(HOSTILE, 1),
        paragraph(HOSTILE),
        paragraph(HOSTILE, "mark"),
        paragraph(HOSTILE, "footer"),
        facts([(HOSTILE, HOSTILE), ("empty", None), ("zero", 0)]),
        table([text(HOSTILE)], [[text(HOSTILE)], [number(HOSTILE)]], [text(HOSTILE)]),
    ]

    page = document("en", HOSTILE, parts).decode()

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 11
    assert "empty" not in page
    assert "<dd>0</dd>" in page
    assert not re.search(r"\b(src|href|action|on\w+)\s*=", re.sub(r">[^<]*<", "><", page))


def test_the_policy_is_that_of_the_style_sheet() -> None:
    """Its hash, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}';" in POLICY
    assert "unsafe" not in POLICY
    assert f"<style>{CSS}</style>" in document("zh-CN", "t", []).decode()
