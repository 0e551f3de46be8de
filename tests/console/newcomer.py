"""A real `csms demo`, a charger that is new to it, and two browsers: one acts, one sees it dark.

Pictures of what they see are kept under build/screenshots.
"""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.console.kit import Browser, Seat, browsing
from tests.serverkit import Child, free_port, polls

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
STARTED_WITHIN_S = 120.0
STOPPED_WITHIN_S = 60.0
OWN_PASSWORD = "a sentence that is mine"
CHARGER, CHARGERS_PASSWORD = "YARD-01", "0123456789abcdef"


@dataclass
class Demo:
    """A demo that runs. `password`: what the administrator signs in with now."""

    base: str
    gateway: str
    folder: Path
    password: str

    async def seat(self) -> Seat:
        """A client that has signed in, with a password of its own."""
        client = httpx.AsyncClient(base_url=self.base, timeout=30)
        await client.post("/sign-in", data={"name": "admin", "password": self.password})
        if self.password != OWN_PASSWORD:
            change = {"old": self.password, "new": OWN_PASSWORD, "again": OWN_PASSWORD}
            assert (await client.post("/password", data=change)).headers["location"] == "/"
            self.password = OWN_PASSWORD
            await client.post("/sign-in", data={"name": "admin", "password": self.password})
        assert "csms_visit" in client.cookies
        return Seat(client, self.base)

    def charger(self) -> Child:
        """A charger nobody registered, at which one car after the other charges for long."""
        options = {
            "identity": CHARGER, "version": "2.0.1", "url": self.gateway, "password": CHARGERS_PASSWORD,
            "kw": "60", "token": "DEMO0001", "sample": "1", "minutes": "60",
        }  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Child("charger", [sys.executable, "-m", "simulators", "station", "--dc", *words], self.folder)


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Demo]:
    """`csms demo` with a day of history, ready and stopped in order."""
    gateway, http, city = free_port(), free_port(), free_port()
    command = [sys.executable, "-m", "csms", "demo", "--days", "1", "--city-port", str(city)]
    ports = {"CSMS_GATEWAY__PORT": str(gateway), "CSMS_HTTP__PORT": str(http)}
    child = Child("demo", command, folder, ports | {"COLUMNS": "200"})
    try:
        child.spawn()
        password = await _first_password(child)
        yield Demo(f"http://127.0.0.1:{http}", f"ws://127.0.0.1:{gateway}/ocpp", folder, password)
        assert await child.stop(STOPPED_WITHIN_S) == 0
    finally:
        child.kill()
        print(child.log_tail())


async def _first_password(child: Child) -> str:
    async for _ in polls(STARTED_WITHIN_S):
        child.check_alive()
        found = re.search(r"one-time password (\S+)", child.log_file.read_text())
        if found:
            return found[1]
    raise TimeoutError(child.log_tail())


@dataclass
class Camera:
    """Takes each picture twice: as the acting browser sees it, and dark."""

    seat: Seat
    light: Browser
    dark: Browser
    taken: list[str] = field(default_factory=list)

    async def take(self, step: str) -> None:
        """Where the acting browser is; the other goes there, too."""
        name = f"{len(self.taken) + 1:02}-{step}.png"
        self.taken.append(name)
        await self.light.picture(PICTURES / "light" / name)
        address = await self.light.js("location.pathname + location.search")
        language = await self.light.js("document.documentElement.lang")
        self.seat.client.cookies.update(await cookies(self.light, self.seat.base))
        await self.dark.take_seat(self.seat)
        if address.startswith(("/sign-in", "/password", "/api/")):
            await self.dark.do("Page.navigate", url=self.seat.base + address)
            await self.dark.until("document.readyState === 'complete' && !!document.querySelector('h1')")
        else:
            await self.dark.open(self.seat, address, language, "dark")
            await self.dark.until(CHARTS_DRAWN)
        await self.dark.picture(PICTURES / "dark" / name)


CHARTS_DRAWN = "[...document.querySelectorAll('.chart')].every((one) => one.querySelector('canvas, svg'))"


async def cookies(browser: Browser, base: str) -> dict[str, str]:
    """The cookies that a browser has for the console."""
    found = (await browser.do("Network.getCookies", urls=[base]))["cookies"]
    return {one["name"]: one["value"] for one in found}


@asynccontextmanager
async def cameras(demo: Demo, folder: Path) -> AsyncIterator[Camera]:
    """Two browsers, of which nobody has signed in."""
    async with (
        browsing(folder / "light") as light,
        browsing(folder / "dark") as dark,
        httpx.AsyncClient(base_url=demo.base, timeout=30) as client,
    ):
        scheme = {"name": "prefers-color-scheme", "value": "dark"}
        await dark.do("Emulation.setEmulatedMedia", features=[scheme])
        await light.screen(1440, 900)
        yield Camera(Seat(client, demo.base), light, dark)
