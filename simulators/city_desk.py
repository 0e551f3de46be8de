"""What a city's desk does with a push once it is opened: check every field, write the ledger, answer.

A field that is not as the profile's table asks: Ret 4004, and nothing is kept. Fields that are right but do
not fit each other: an order is kept as disputed (ConfirmResult 1), a state is discarded (Status 1), anything
else is not successful (SuccStat 1). Either way every single violation is noted with its field and reason.
"""

from collections.abc import Callable
from typing import Any

from simulators.city_checks import reconcile
from simulators.city_fields import Violation
from simulators.city_gate import Body, Refusal
from simulators.city_ledger import Ledger, watt_hours
from simulators.city_profile import Interface, Profile

SAYS_NO = {"dispute", "ignore", "fail"}
MOST_TOLD = 5  # violations in the Msg of a refusal; the ledger has them all
REASON = 3  # FailReason 3-99 are the platform's own
LISTS: dict[str, tuple[str, tuple[str, ...]]] = {  # under which name, and what makes the key
    "station": ("StationInfo", ("StationID",)),
    "bms": ("BmsInfo", ("EquipmentID", "ConnectorID", "BMSCode")),
    "alarm": ("AlarmInfo", ("EquipmentID", "ConnectorID", "AlarmCode", "AlarmStatus", "AlarmTime")),
    "event": ("EventInfo", ("StationID", "EventCode", "EventTime")),
    "power": ("SupStationPowerInfo", ("StationID", "DataTime")),
}
DISPUTED, REFUSED = "disputed", "4004"


class Desk:
    """`say` is told of each push: interface, operator, key, what became of it.

    `city_id` begins the serial numbers of what the city itself starts.
    """

    def __init__(
        self, profile: Profile, ledger: Ledger, city_id: str, say: Callable[[str, str, str, str], None]
    ) -> None:
        self._profile, self._ledger, self._city_id, self._say = profile, ledger, city_id, say

    def take(self, one: Interface, operator: str, body: Body, fault: str | None) -> Body:
        """The answer's Data. Raises Refusal 4004, or the profile's own Ret for an order it has already."""
        key = str(body.get(one.key, ""))
        if wrong := self._profile.fields_wrong(one, body, operator, self._city_id):
            self._noted(one, operator, key, REFUSED, wrong)
            raise Refusal(4004, _told(wrong))
        unfit = [found for rule in one.rules for found in rule(body, body)]
        unfit = unfit if self._profile.refuse_inconsistent else []
        if one.keeps == "check":
            return self._checked(one, operator, body, unfit)
        no = fault in SAYS_NO or bool(unfit)
        if unfit:
            self._noted(one, operator, key, DISPUTED, unfit)
        became = self._kept(one, operator, body, no)
        self._say(one.name, operator, key, became)
        if became == "duplicate" and one.keeps == "order" and self._profile.duplicate_ret and not no:
            raise Refusal(self._profile.duplicate_ret, "已存在")
        return self._answer(one, operator, body, no, fault)

    def _kept(self, one: Interface, operator: str, body: Body, no: bool) -> str:
        """Written to the ledger: `new`, `version`, `duplicate`, or `ignored`."""
        ledger = self._ledger
        if one.keeps == "order":
            wh = watt_hours(body[one.energy])
            became = ledger.take(("order", operator, body[one.key]), body, wh, disputed=no)
            ledger.count(f"order:{became}")
            return "disputed" if no else became
        if no:
            return "ignored"
        if one.keeps == "status":
            infos = _several(body, "ConnectorStatusInfo")
            for info in infos:
                ledger.take_status(operator, info)
            return ", ".join(f"{info['ConnectorID']} is {info['Status']}" for info in infos)[:120]
        became = "new"
        for owner, key, item, wh in _items(one, operator, body):
            became = ledger.take((one.keeps, owner, key), item, wh)
            ledger.count(f"{one.keeps}:{became}")
        return became

    def _answer(self, one: Interface, operator: str, body: Body, no: bool, fault: str | None) -> Body:
        words: dict[str, Callable[[str], Any]] = {
            "echo": lambda name: body[name],
            "verdict": lambda name: int(no),
            "reason": lambda name: REASON if no else 0,
        }
        told = {name: words[word](name) for name, word in one.answer.items()}
        if fault == "other-order" and one.key in told:
            told[one.key] = operator + "0" * 18
        return told

    def _checked(self, one: Interface, operator: str, body: Body, unfit: list[Violation]) -> Body:
        if unfit:
            self._noted(one, operator, body[one.key], REFUSED, unfit)
            raise Refusal(4004, _told(unfit))
        told = reconcile(self._ledger, operator, body)
        self._ledger.take(("check", operator, body[one.key]), {"asked": body, "answer": told})
        disputes = told["TotalDisputeOrder"]
        self._say(one.name, operator, body[one.key], f"{body['OrderCount']} orders, {disputes} disputed")
        return told

    def _noted(self, one: Interface, operator: str, key: str, verdict: str, wrong: list[Violation]) -> None:
        self._ledger.note((one.name, operator, key), verdict, wrong)
        for found in wrong:
            self._say(one.name, operator, key, f"{verdict} {found}")


def _told(wrong: list[Violation]) -> str:
    more = f"; {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
    return "; ".join(map(str, wrong[:MOST_TOLD]))[:400] + more


def _several(body: Body, name: str) -> list[Body]:
    """What stands as one object under `name`, or as a list under its plural."""
    return list(body.get(f"{name}s") or [body[name]])


def _items(one: Interface, operator: str, body: Body) -> list[tuple[str, str, Body, int]]:
    """What a push brings for the ledger: whose, under which key, what, and its energy in Wh."""
    if one.keeps == "hour":
        stats = body["StationStats"]
        # An hour's own operator where it is told, so that one account may report for several.
        owner = stats.get("OperatorID", operator)
        key = f"{stats['StationID']}/{stats['StartTime']}"
        return [(owner, key, stats, watt_hours(stats["StationElectricity"]))]
    if one.keeps not in LISTS:
        return [(operator, body[one.key], body, 0)]
    name, key_fields = LISTS[one.keeps]
    # Process data names its connector beside itself or within.
    outer = {"ConnectorID": body["ConnectorID"]} if "ConnectorID" in body else {}
    return [(operator, _joined(outer | item, key_fields), outer | item, 0) for item in _several(body, name)]


def _joined(item: Body, names: tuple[str, ...]) -> str:
    return "/".join(str(item[name]) for name in names if name in item)
