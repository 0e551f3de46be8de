"""Tariffs: the list, and one with its versions and where it applies."""

from csms.api.tariff_forms import VERSION
from tests.api.conftest import MINE
from tests.console.kit import HOSTILE, running


async def test_the_pages(sqlite_url: str) -> None:
    """Names are text; the latest version and its seasons are drawn, and its form begins as it is."""
    async with running(sqlite_url) as kit:
        async with await kit.desk.client() as client:
            body = {"operator": MINE, "code": "T", "name": HOSTILE, **VERSION}
            assert (await client.post("/api/v1/tariffs", json=body)).status_code == 201
        listed, page = await kit.page("/tariffs"), await kit.page("/tariffs/T", "zh-CN")

    assert f'data-href="/tariffs/T?operator={MINE}"' in listed
    assert "<img src=x" not in listed + page
    for part in (
        "summer 07-01 – 08-31",
        "新版本",
        "应用电价",
        'value="0.4139"',
        "此电价尚未应用到任何地方。",
    ):
        assert part in page
