"""The demo's prices: like Beijing's, set once."""

from pathlib import Path

from csms.config import Settings
from csms.demo import OPERATORS, TARIFF_CODE, beijing, set_prices
from csms.domain.tariff import Period
from csms.operations import opened
from csms.store.tariffs import TariffStore


async def test_each_operator_gets_the_tariff_once(tmp_path: Path) -> None:
    """However often the demo is started; it holds for the history that is filled in."""
    settings = Settings(database={"url": f"sqlite:///{tmp_path / 'csms.db'}"})

    await set_prices(settings)
    await set_prices(settings)

    async with opened(settings) as database:
        store = TariffStore(database)
        for operator in OPERATORS:
            shown = await store.one(TARIFF_CODE, operator)
            assert [version["tariff"] for version in shown["versions"]] == [beijing()]
            assert [one["level"] for one in shown["assignments"]] == ["operator"]


def test_hot_afternoons_are_sharp() -> None:
    """Twice a day in July and August only."""
    (summer,) = beijing().seasons
    assert [band.start // 60 for band in summer.bands if band.period is Period.SHARP] == [11, 16]
    assert {band.period for band in beijing().bands} == {Period.PEAK, Period.FLAT, Period.VALLEY}
