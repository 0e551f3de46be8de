"""What of city platforms' settings is valid and yet bodes ill: said by `csms doctor`, and at the start."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from csms.config import PlatformSettings, ReportingSettings
from csms.reporting.lane import WITHIN_LEASE
from csms.reporting.tcec.client import TOTAL_S
from csms.store.registry import Registry


def doubts(settings: ReportingSettings) -> list[str]:
    """What can be told from the settings alone, one sentence each."""
    found = [
        f"{one.name}: {one.url} is not encrypted: use https"
        for one in settings.platforms
        if urlsplit(one.url).scheme == "http" and not _is_here(urlsplit(one.url).hostname)
    ]
    needed = TOTAL_S / WITHIN_LEASE
    if settings.platforms and settings.outbox_lease_s < needed:
        found.append(
            f"outbox_lease_s: {settings.outbox_lease_s:g} cuts pushes short that may take {TOTAL_S:g} s: "
            f"use {needed:g} or more"
        )
    return found


async def strangers(settings: ReportingSettings, registry: Registry) -> list[str]:
    """Operators and sites of the settings that nobody entered. Raises StoreUnavailable."""
    if not settings.platforms:
        return []
    operators = {one["code"] for one in await registry.operators()}
    sites = {(one["operator"], one["code"]) for one in await registry.sites()}
    return [text for one in settings.platforms for text in _unknown(one, operators, sites)]


def _unknown(one: PlatformSettings, operators: set[str], sites: set[tuple[str, str]]) -> list[str]:
    if one.operator not in operators:
        return [f"{one.name}: there is no operator {one.operator}: nothing will be told"]
    return [
        f"{one.name}: operator {one.operator} has no site {site}"
        for site in one.sites
        if (one.operator, site) not in sites
    ]


def _is_here(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
