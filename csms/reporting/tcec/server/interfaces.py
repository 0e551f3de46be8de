"""Which kind of query is read how and answered by whom: one table. Knows no envelope and no store."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from csms.reporting.tcec.server import asks, credentials, sites
from csms.reporting.tcec.server.catalogue import Catalogue
from csms.reporting.tcec.server.charges import Charges
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.notices import Notices
from csms.reporting.tcec.server.starting import Starter
from csms.reporting.tcec.server.stopping import Stopper
from csms.reporting.tcec.wording import respelt
from csms.store.live_states import LiveStates

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answers are made from."""

    catalogue: Catalogue
    live: LiveStates
    charges: Charges
    notices: Notices
    starter: Starter
    stopper: Stopper
    now: Callable[[], datetime]


class Interface(NamedTuple):
    """How one kind of query is read, and who answers it: (desk, its part of the profile, platform, ask)."""

    ask: type[Any]
    answer: Callable[[Desk, Any, Inbound, Any], Awaitable[dict[str, Any]]]


async def _token(d: Desk, _: Any, who: Inbound, ask: asks.TokenAsk) -> dict[str, Any]:
    return credentials.query_token(who, ask, d.now())


INTERFACES: dict[str, Interface] = {
    "query-token": Interface(asks.TokenAsk, _token),
    "operator-info": Interface(
        asks.PageAsk, lambda d, pull, who, ask: sites.operator_info(d.catalogue, who, ask)
    ),
    "stations-info": Interface(
        asks.PageAsk, lambda d, pull, who, ask: sites.stations_info(d.catalogue, pull, who, ask)
    ),
    "station-status": Interface(
        asks.StatusAsk,
        lambda d, pull, who, ask: sites.station_status(d.catalogue, d.live, pull, who, ask, d.now()),
    ),
    "station-stats": Interface(
        asks.StatsAsk,
        lambda d, pull, who, ask: sites.station_stats(d.catalogue, d.live, who, ask, discharge=False),
    ),
    "discharge-stats": Interface(
        asks.StatsAsk,
        lambda d, pull, who, ask: sites.station_stats(d.catalogue, d.live, who, ask, discharge=True),
    ),
    "equip-auth": Interface(asks.AuthAsk, lambda d, pull, who, ask: d.charges.equip_auth(pull, who, ask)),
    "business-policy": Interface(
        asks.PolicyAsk, lambda d, pull, who, ask: d.charges.business_policy(pull, who, ask)
    ),
    "start-charge": Interface(asks.StartAsk, lambda d, pull, who, ask: d.starter.start(who, ask)),
    "stop-charge": Interface(asks.StartAsk, lambda d, pull, who, ask: d.stopper.stop(who, ask)),
    "alarm-info": Interface(asks.ListAsk, lambda d, pull, who, ask: d.notices.alarm_info(pull, who, ask)),
    "event-info": Interface(asks.ListAsk, lambda d, pull, who, ask: d.notices.event_info(pull, who, ask)),
    "bms-info": Interface(asks.ListAsk, lambda d, pull, who, ask: d.notices.bms_info(pull, who, ask)),
    "frequency": Interface(asks.FrequencyAsk, lambda d, pull, who, ask: d.notices.frequency(who, ask)),
    "distribution-status": Interface(
        asks.ListAsk, lambda d, pull, who, ask: d.notices.distribution_status(who, ask)
    ),
    "charge-status": Interface(
        asks.ChargeAsk, lambda d, pull, who, ask: d.charges.charge_status(pull, who, ask)
    ),
}


async def answer(desk: Desk, platform: Inbound, kind: str, payload: Mapping[str, Any]) -> str:
    """The text of the answer, spelt the platform's way. Raises Refusal and StoreUnavailable."""
    interface, pull = INTERFACES[kind], platform.profile.pull(kind)
    spelling = platform.profile.spellings(pull)
    ask = asks.read(interface.ask, payload, spelling)
    body = await interface.answer(desk, pull, platform, ask)
    return _encoder.encode(respelt(body, spelling)).decode()
