"""The columns of each export: their names for programs, titles in Chinese and English, and units."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from csms.sheets.columns import Column, Kind

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


class Field(NamedTuple):
    """A column in every language."""

    key: str
    en: str
    zh: str
    kind: Kind = Kind.TEXT
    places: int = 0
    name: str = ""  # where it is not the key


def energy(key: str, en: str, zh: str) -> Field:
    """Wh in the record, kWh in the file."""
    return Field(key, f"{en} (kWh)", f"{zh} (kWh)", Kind.DECIMAL, 3, key.removesuffix("_wh") + "_kwh")


def money(key: str, en: str, zh: str) -> Field:
    """CNY as decimal text."""
    return Field(key, f"{en} (CNY)", f"{zh} (元)", Kind.DECIMAL, 2)


def instant(key: str, en: str, zh: str) -> Field:
    """A time; the file's time zone comes into the title."""
    return Field(key, en, zh, Kind.INSTANT)


def whole(key: str, en: str, zh: str) -> Field:
    """A number."""
    return Field(key, en, zh, Kind.WHOLE)


OPERATOR = Field("operator", "Operator", "运营商")
SITE = Field("site", "Site", "充电站")
STATION = Field("charging_station", "Charging station", "充电设备")
EVSE = whole("evse", "EVSE", "EVSE")
CONNECTOR = whole("connector", "Connector", "接口")
SESSION = Field("session_id", "Session", "充电会话")
SEQ = Field("start_charge_seq", "Order number", "充电订单号")
STARTED = instant("started_at", "Started", "开始时间")
ENDED = instant("ended_at", "Ended", "结束时间")
REVISION = whole("revision", "Revision", "版次")

SESSIONS = (
    SESSION,
    SEQ,
    OPERATOR,
    SITE,
    STATION,
    EVSE,
    CONNECTOR,
    Field("id_token", "Id token", "卡号/账号"),
    Field("authorization", "Authorization", "鉴权结果"),
    Field("state", "State", "状态"),
    STARTED,
    ENDED,
    instant("received_at", "Received", "接收时间"),
    energy("meter_start_wh", "Meter at start", "起始表底"),
    energy("meter_stop_wh", "Meter at end", "结束表底"),
    energy("energy_wh", "Energy", "电量"),
    Field("energy_source", "Energy from", "电量来源"),
    money("cost", "Cost", "费用"),
    Field("quality", "Quality", "质量标记"),
    REVISION,
    Field("stop_reason", "Stop reason", "停止原因"),
    Field("transaction_id", "Transaction", "交易号"),
    Field("ocpp_version", "OCPP version", "OCPP 版本"),
)
TOTALS = (
    Field("by", "Period", "周期"),
    Field("of", "Of", "对象类型"),
    Field("id", "Subject", "对象"),
    OPERATOR,
    instant("start", "Start", "周期开始"),
    energy("energy_wh", "Energy", "电量"),
    whole("sessions", "Sessions", "充电次数"),
    whole("charging_s", "Time of sessions (s)", "充电时长 (秒)"),
    REVISION,
    instant("computed_at", "Computed", "计算时间"),
)
ORDERS = (
    SEQ,
    REVISION,
    SESSION,
    OPERATOR,
    SITE,
    STATION,
    EVSE,
    CONNECTOR,
    STARTED,
    ENDED,
    instant("priced_at", "Priced", "计价时间"),
    Field("tariff", "Tariff", "电价方案"),
    whole("tariff_version", "Tariff version", "方案版本"),
    energy("energy_wh", "Energy", "电量"),
    money("elec_money", "Electricity fee", "电费"),
    money("service_money", "Service fee", "服务费"),
    money("idle_money", "Idle fee", "占位费"),
    money("parking_money", "Parking fee", "停车费"),
    money("total", "Total", "总金额"),
    Field("is_current", "Current", "当前版次", Kind.YES_NO),
    Field("platform", "Platform", "监管平台"),
    Field("told", "State at the platform", "上报状态"),
    instant("told_at", "Told", "上报时间"),
    Field("told_hash", "SHA-256 of the message", "报文 SHA-256"),
)
AUDIT = (
    Field("audit_id", "Entry", "记录号"),
    instant("at", "Time", "时间"),
    Field("actor", "Who", "操作者"),
    Field("action", "Action", "操作"),
    Field("subject", "Subject", "对象"),
    Field("address", "Address", "来源地址"),
    Field("before", "Before", "变更前"),
    Field("details", "Details", "详情"),
)
EXPORTS: dict[str, tuple[Field, ...]] = {
    "sessions": SESSIONS,
    "totals": TOTALS,
    "orders": ORDERS,
    "audit": AUDIT,
}
NAMES: dict[str, dict[Language, str]] = {
    "sessions": {"en": "Sessions", "zh-CN": "充电记录"},
    "totals": {"en": "Totals", "zh-CN": "汇总"},
    "orders": {"en": "Orders", "zh-CN": "订单"},
    "audit": {"en": "Audit", "zh-CN": "审计日志"},
    "statement": {"en": "Statement", "zh-CN": "对账单"},
}


def columns_of(fields: Sequence[Field], language: Language, zone: str) -> tuple[Column, ...]:
    """The columns in one language; titles of times name the zone."""
    made = []
    for field in fields:
        title = field.zh if language == "zh-CN" else field.en
        title = f"{title} ({zone})" if field.kind is Kind.INSTANT else title
        made.append(Column(field.name or field.key, field.key, title, field.kind, field.places))
    return tuple(made)


def language_of(accepted: str) -> Language | None:
    """The language an Accept-Language header wants most of those there are; None where it wants neither."""
    wanted: list[tuple[float, int, Language]] = []
    for n, part in enumerate(accepted[:500].split(",")):
        tag, _, rest = part.strip().lower().partition(";")
        quality = rest.replace(" ", "").removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag[:2] in ("zh", "en") and weight > 0:
            wanted.append((-weight, n, "zh-CN" if tag[:2] == "zh" else "en"))
    return min(wanted)[2] if wanted else None
