"""Columns in two languages, and which language a browser wants."""

import pytest

from csms.books.fields import EXPORTS, NAMES, columns_of, language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("fr, de;q=0.5", None),
        ("zh-TW", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.2, zh;q=0.3", "zh-CN"),
        ("zh;q=0, en;q=0.1", "en"),
        ("en;q=x, zh", "zh-CN"),
        ("," * 2000 + "en", None),
    ],
)
def test_the_language_a_browser_wants(header: str, language: str | None) -> None:
    """The one it likes best of those there are; nonsense is left out."""
    assert language_of(header) == language


@pytest.mark.parametrize("name", EXPORTS)
def test_columns_have_names_and_titles(name: str) -> None:
    """Unlike each other, in each language; times name the zone."""
    for language in ("zh-CN", "en"):
        columns = columns_of(EXPORTS[name], language, "Asia/Shanghai")
        assert len({column.name for column in columns}) == len(columns)
        assert len({column.title for column in columns}) == len(columns)
        assert all(NAMES[name].values())
    assert {column.title for column in columns if column.kind == "instant"} == {
        column.title for column in columns if column.title.endswith("(Asia/Shanghai)")
    }
