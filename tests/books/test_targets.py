"""Folders stay below their root, webhooks on the public Internet."""

from pathlib import Path

import pytest

from csms.books.targets import check_url, folder_of
from csms.config_documents import DocumentSettings
from csms.errors import InvalidInput


def test_a_folder_below_the_root(tmp_path: Path) -> None:
    """Names separated by slashes."""
    settings = DocumentSettings(folder=str(tmp_path))

    assert folder_of(settings, "city/monthly 2026") == tmp_path / "city" / "monthly 2026"


@pytest.mark.parametrize(
    "address", ["../x", "a/../../x", "/etc", "a//b", "", ".", "a/.", "a\\b", "a\0", " a", "link/x"]
)
def test_no_way_out(tmp_path: Path, address: str) -> None:
    """Neither by dots, nor from the root, nor through a link."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)

    with pytest.raises(InvalidInput, match=r"^This value cannot be used: address:"):
        folder_of(DocumentSettings(folder=str(tmp_path / "root")), address)


def test_no_folder_without_a_root() -> None:
    """It is said which setting is missing."""
    with pytest.raises(InvalidInput, match=r"documents\.folder"):
        folder_of(DocumentSettings(), "a")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://x",
        "https://",
        "https://user:pw@example.com/",
        "https://169.254.169.254/latest",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://example.com/ x",
        "https://example.com/\nHost: y",
        "https://example.com:99999/",
        "https://example.com/#x",
        "https://example.com/" + "x" * 500,
        "https://[x",
    ],
)
def test_urls_that_are_not_called(url: str) -> None:
    """Row A07."""
    with pytest.raises(InvalidInput, match="address:"):
        check_url(DocumentSettings(), url)


def test_urls_that_are_called() -> None:
    """Public hosts; where hosts are listed, only those; private ones by setting."""
    check_url(DocumentSettings(), "https://files.example.com:8443/csms?x=1")
    listed = DocumentSettings(webhook_hosts=("a.example", "b.example:8443"))
    check_url(listed, "https://a.example/")
    check_url(listed, "https://b.example:8443/")
    check_url(DocumentSettings(webhook_private=True), "http://127.0.0.1:8000/x")

    for url in ("https://b.example/", "https://c.example/", "https://a.example.evil/"):
        with pytest.raises(InvalidInput, match="webhook_hosts"):
            check_url(listed, url)
