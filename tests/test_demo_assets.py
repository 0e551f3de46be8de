"""The demo's asset data: complete, importable, and imported once the stations are registered."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from csms.demo import OPERATORS
from csms.demo_assets import contents, enter
from csms.domain.inventory import ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.handlers.asset_files import import_file
from csms.reporting.yearbook import YearbookWriter
from csms.store.asset_counts import AssetCounts
from csms.store.assets import AssetStore
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCENARIO = Path(__file__).parents[1] / "simulators/scenarios/demo.yaml"
REQUIRED: dict[type[Any], tuple[str, ...]] = {
    OperatorRecord: ("name", "uscid", "tel"),
    SiteRecord: ("owner_id", "area_code", "address", "service_tel", "kind", "status", "place", "latitude"),
    EquipmentRecord: ("kind", "charger_class", "power_w", "manufacturer_id", "produced_on"),
    ConnectorRecord: (
        "kind",
        "voltage_upper_v",
        "voltage_lower_v",
        "current_a",
        "power_w",
        "national_standard",
    ),
}


async def test_every_station_of_the_demo_is_entered(database: Database) -> None:
    """Nothing a city commonly requires is missing, and the yearbook counts the demo."""
    scenario = yaml.safe_load(SCENARIO.read_text())
    registry, store = Registry(database), AssetStore(database)
    for each in scenario["operators"]:
        await registry.put_operator(OperatorForm(each["code"], each["name"], "Asia/Shanghai"))
    for each in scenario["sites"]:
        place = (each["name"], each["latitude"], each["longitude"])
        await registry.put_site(SiteForm(each["code"], each["operator"], *place))
    for each in scenario["stations"]:
        await registry.put_station(StationForm(each["identity"], each["site"]), NOW)

    for content in contents():
        assert (await import_file(store, content, NOW)).problems == []

    for kind, required in REQUIRED.items():
        assert (await store.missing(kind, required)).items == []
    entered = {each.identity for each in await store.everything(EquipmentRecord)}
    assert entered == {each["identity"] for each in scenario["stations"]}
    assert {each.operator for each in await store.everything(OperatorRecord)} == set(OPERATORS)
    connector = await store.names_of("GUOMAO-01", 2, 1)
    assert connector is not None
    assert connector.connector_id == "GUOMAO-010201"
    book = await YearbookWriter(AssetCounts(database)).make(date(2017, 12, 31))
    assert [row.now for row in book.rows[:3]] == [2, 6, 22]
    assert book.unentered == 0


async def test_files_are_tried_until_the_stations_are_there() -> None:
    """In order, each until it is taken; in the end it gives up."""
    answers = [200, 422, 200, 503, 200, 200]
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        if not answers:
            raise httpx.ConnectError("gone")
        return httpx.Response(answers.pop(0))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://x") as client:
        assert await enter(client, wait_s=0)
        first, second, third, last = contents()
        assert seen == [first, second, second, third, third, last]
        assert not await enter(client, wait_s=0, tries=3)
