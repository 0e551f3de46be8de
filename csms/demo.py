"""`csms demo`: the server here, the simulated city and fleet as processes of their own, one folder of data.

The fleet and the city speak to the server over the network like any other; nothing is put into the database
behind its back but the operators' tariff, so that the very first session has a price.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import yaml
from rich.console import Console
from rich.panel import Panel

from csms import log
from csms.app import App
from csms.config import Settings
from csms.demo_assets import enter
from csms.domain.tariff import Band, Period, Season, Tariff
from csms.operations import create_key, opened
from csms.process import loop_factory
from csms.store.registry import OperatorForm, Registry
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm

# The codes of the demo scenario's operators, and the public example secret of the simulated city.
OPERATORS = ("MA1JXN9C2", "MA2KYP7D5")
SECRET = "1234567890abcdef"
STOP_S = 10
TARIFF_CODE = "BEIJING-PUBLIC"
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PRICES = {
    Period.SHARP: Decimal("1.4223"),
    Period.PEAK: Decimal("1.1907"),
    Period.FLAT: Decimal("0.8173"),
    Period.VALLEY: Decimal("0.4139"),
}
SERVICE = Decimal("0.8000")


def beijing() -> Tariff:
    """Time of use as public chargers in Beijing have it: hot summer afternoons are sharp."""
    v, f, p, s = Period.VALLEY, Period.FLAT, Period.PEAK, Period.SHARP
    day = _bands((0, v), (7, f), (10, p), (13, f), (17, p), (22, f), (23, v))
    hot = _bands((0, v), (7, f), (10, p), (11, s), (13, f), (16, s), (17, p), (22, f), (23, v))
    return Tariff(day, (Season("summer", (7, 1), (8, 31), hot),))


def _bands(*day: tuple[int, Period]) -> tuple[Band, ...]:
    return tuple(Band(60 * hour, period, PRICES[period], SERVICE) for hour, period in day)


async def set_prices(settings: Settings) -> None:
    """Give each operator of the scenario the tariff, once. The fleet names the operators afterwards."""
    now = datetime.now(UTC)
    async with opened(settings) as database:
        registry, tariffs = Registry(database), TariffStore(database)
        known = {row["code"] for row in await registry.operators()}
        priced = {row["operator"] for row in await tariffs.find()}
        for code in OPERATORS:
            if code not in known:
                await registry.put_operator(OperatorForm(code, code, "Asia/Shanghai"))
            if code not in priced:
                await tariffs.add(code, TARIFF_CODE, "北京公共充电", VersionForm(beijing(), SINCE), now)
                await tariffs.assign(TARIFF_CODE, code, PlaceForm(), SINCE, now)


class Demo:
    """One demonstration. `run` returns after Ctrl-C or SIGTERM."""

    def __init__(self, folder: Path, days: int, port: int, http_port: int, city_port: int) -> None:
        self._folder = folder
        self._days = days
        self._ports = (port, http_port, city_port)
        self._console = Console()
        self._entering: asyncio.Future[None] | None = None
        self._children: dict[str, asyncio.subprocess.Process] = {}

    def run(self) -> None:
        """Show everything until Ctrl-C."""
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = Settings.load(self._configuration())
        # The environment may have the last word about the ports.
        self._ports = (settings.gateway.port, settings.http.port, self._ports[2])
        log.configure("warning", settings.log.format)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._show(settings))
        self._console.print("The demo has stopped; its data stay in", str(self._folder))

    async def _show(self, settings: Settings) -> None:
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        key = await self._key(settings)
        await set_prices(settings)
        app = App(settings)
        try:
            await self._start_city()
            await app.start()
            await self._start_fleet(key)
            self._entering = asyncio.create_task(self._enter_assets(key))
            self._explain(key, app.first_password)
            await self._wait(ended)
        finally:
            self._console.print("Stopping ...")
            if self._entering is not None:
                self._entering.cancel()
                await asyncio.gather(self._entering, return_exceptions=True)
            # The stations first, the city last: what is still owed to it can be delivered.
            await self._stop_child("fleet")
            await app.stop()
            await self._stop_child("city")

    def _configuration(self) -> Path:
        """The demo's own config.yaml, so that every setting of it can be seen and tried out."""
        port, http_port, city_port = self._ports
        values = {
            "database": {"url": f"sqlite:///{self._folder / 'csms.db'}"},
            "gateway": {"host": "127.0.0.1", "port": port},
            "http": {"port": http_port},
            "reporting": {
                "platforms": [
                    {
                        "name": f"city-{code.lower()}",
                        "profile": "simulated",
                        "url": f"http://127.0.0.1:{city_port}",
                        "operator": code,
                        "operator_secret": SECRET,
                        "data_secret": SECRET,
                        "data_secret_iv": SECRET,
                        "sig_secret": SECRET,
                    }
                    for code in OPERATORS
                ]
            },
        }
        file = self._folder / "config.yaml"
        file.write_text("# Written by `csms demo` at each start.\n" + yaml.safe_dump(values, sort_keys=False))
        return file

    async def _key(self, settings: Settings) -> str:
        """The administrator's key of this folder, made at the first start."""
        file = self._folder / "admin.key"
        if not file.exists():
            key = await create_key(settings, "admin", None, f"demo {datetime.now(UTC):%Y-%m-%d}")
            file.touch(mode=0o600)
            file.write_text(key)
        return file.read_text().strip()

    async def _start_city(self) -> None:
        operators = [word for code in OPERATORS for word in ("--operator-id", code)]
        port = str(self._ports[2])
        await self._start(
            "city", "city", "--port", port, "--ledger", str(self._folder / "city.db"), *operators
        )

    async def _start_fleet(self, key: str) -> None:
        port, http_port, _ = self._ports
        await self._start(
            "fleet",
            "fleet",
            *("--scenario", "demo", "--forever"),
            *("--backfill-days", str(self._days)),
            *("--url", f"ws://127.0.0.1:{port}/ocpp"),
            *("--api", f"http://127.0.0.1:{http_port}"),
            environment={"CSMS_API_KEY": key},
        )

    async def _enter_assets(self, key: str) -> None:
        """What the city asks about the demo's sites and chargers, once the fleet has registered them."""
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self._ports[1]}", headers=headers
        ) as client:
            if not await enter(client):
                self._console.print("[yellow]The demo's asset data could not be imported[/]")

    async def _start(self, name: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
        """A simulator in a process group of its own: Ctrl-C reaches us, and we stop it in order."""
        with (self._folder / f"{name}.log").open("ab") as output:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "simulators", *arguments),
                stdout=output,
                stderr=output,
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._children[name] = child

    async def _wait(self, ended: asyncio.Event) -> None:
        """Until the signal; a simulator that ends by itself is said once."""
        watches = [asyncio.create_task(self._watch(name)) for name in self._children]
        await ended.wait()
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, name: str) -> None:
        code = await self._children[name].wait()
        file = self._folder / f"{name}.log"
        self._console.print(f"[yellow]The simulated {name} ended by itself (exit {code}); see {file}[/]")

    async def _stop_child(self, name: str) -> None:
        child = self._children.get(name)
        if child is None or child.returncode is not None:
            return
        child.terminate()
        try:
            await asyncio.wait_for(child.wait(), STOP_S)
        except TimeoutError:
            child.kill()
            await child.wait()

    def _who(self, first_password: str | None) -> str:
        if first_password is not None:
            return f"as admin with the one-time password {first_password} (shown this once)"
        config = self._folder / "config.yaml"
        return f"as admin; a forgotten password: csms user password admin --config {config}"

    def _explain(self, key: str, first_password: str | None) -> None:
        port, http_port, city_port = self._ports
        base = f"http://127.0.0.1:{http_port}"
        self._console.print(
            Panel.fit(
                f"[bold]Console[/]          {base}/\n"
                f"[bold]API[/]              {base}/api/v1/openapi.json\n"
                f"[bold]Charging stations[/] ws://127.0.0.1:{port}/ocpp/IDENTITY\n"
                f"[bold]Simulated city[/]   http://127.0.0.1:{city_port}/ledger\n"
                f"[bold]Data[/]             {self._folder}; {self._days} days of history are being filled in",
                title="csms demo",
            )
        )
        self._console.print(
            f"\n[bold]Sign in[/] at {base}/ {self._who(first_password)}", soft_wrap=True, highlight=False
        )
        bearer = f'-H "Authorization: Bearer {key}"'
        command = '{"command": "StartSession", "id_token": "DEMO0001", "evse": 1}'
        for text in (
            "\n[bold]Administrator's key[/] (for `Authorization: Bearer`)",
            key,
            "\n[bold]Three things to try[/]",
            "1. the latest sessions, each to the watt-hour:",
            f"   curl -s {bearer} '{base}/api/v1/sessions?limit=3'",
            "2. the energy of each site by day, and the prices by which sessions have their `cost`:",
            f"   curl -s {bearer} '{base}/api/v1/totals?by=day&of=site'",
            f"   curl -s {bearer} '{base}/api/v1/tariffs/{TARIFF_CODE}?operator={OPERATORS[0]}'",
            "3. ask a charging station for its status, or start a session at one that is free:",
            f"   curl -s {bearer} -H 'Content-Type: application/json' -d '{command}' \\",
            f"        {base}/api/v1/charging-stations/GUOMAO-03/commands",
            "\nCtrl-C stops everything.",
        ):
            self._console.print(text, soft_wrap=True, highlight=False)
