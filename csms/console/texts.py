"""What the page says, in Chinese and English; numbers and times as people read them. Knows no page."""

from datetime import datetime, timedelta
from typing import Literal

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")

EN = {
    "title": "Charging network",
    "stations_online": "Charging stations online",
    "of_registered": "of {n} registered",
    "live_sessions": "Sessions now",
    "charging_since": "newest {t}",
    "power_now": "Power now",
    "power_from": "from {n} metered sessions",
    "energy_today": "Energy today",
    "today_in": "since {t}",
    "orders": "Orders at the city",
    "sent_today": "sent today",
    "waiting": "waiting",
    "dead": "set aside",
    "city_contact": "City last contact",
    "no_city": "no platform yet",
    "stations_by_site": "Charging stations by site",
    "and_more": "+{n} more",
    "and_more_sites": "and {n} more sites",
    "no_stations": "No charging station is registered yet. POST /api/v1/charging-stations adds one.",
    "live": "Sessions now",
    "ended": "Latest sessions ended",
    "latest_orders": "Latest orders at the city",
    "no_live": "No vehicle is charging.",
    "no_ended": "No session has ended yet.",
    "no_orders": "No order has been made yet.",
    "station": "Charging station",
    "connector": "EVSE/conn.",
    "token": "Token",
    "started": "Started",
    "ended_at": "Ended",
    "duration": "Duration",
    "energy": "Energy",
    "power": "Power",
    "order": "Order",
    "platform": "Platform",
    "state": "State",
    "attempts": "Tries",
    "when": "When",
    "quality": "Quality",
    "orders_waiting": "waiting",
    "orders_sent": "sent",
    "orders_dead": "set aside",
    "charging": "charging",
    "available": "available",
    "occupied": "occupied",
    "faulted": "faulted",
    "unavailable": "out of service",
    "offline": "offline",
    "never-seen": "never seen",
    "connected": "online",
    "seconds_ago": "{n} s ago",
    "minutes_ago": "{n} min ago",
    "hours_ago": "{n} h ago",
    "days_ago": "{n} d ago",
    "never": "never",
    "theme": "Light / dark",
    "other_language": "中文",
    "sign_out": "Sign out",
    "sign_in": "Sign in",
    "api_key": "API key",
    "ask_key": "This page needs an API key. `csms api-key create` makes one.",
    "wrong_key": "This key is not registered, or it was revoked.",
    "too_many": "Too many attempts. Wait a minute.",
    "updated": "updated {t}",
    "stale": "The database does not answer; shown is what was last known.",
}

ZH = {
    "title": "充电网络",
    "stations_online": "在线充电桩",
    "of_registered": "共登记 {n} 台",
    "live_sessions": "正在充电",
    "charging_since": "最近开始 {t}",
    "power_now": "当前功率",
    "power_from": "来自 {n} 个有计量的订单",
    "energy_today": "今日电量",
    "today_in": "自 {t} 起",
    "orders": "上报城市平台的订单",
    "sent_today": "今日已上报",
    "waiting": "待上报",
    "dead": "搁置",
    "city_contact": "城市平台最近联系",
    "no_city": "尚无平台",
    "stations_by_site": "各场站充电桩",
    "and_more": "另有 {n} 台",
    "and_more_sites": "另有 {n} 个场站",
    "no_stations": "尚未登记充电桩。通过 POST /api/v1/charging-stations 添加。",
    "live": "正在充电",
    "ended": "最近结束的充电",
    "latest_orders": "最近上报的订单",
    "no_live": "当前没有车辆充电。",
    "no_ended": "尚无已结束的充电。",
    "no_orders": "尚无订单。",
    "station": "充电桩",
    "connector": "枪口",
    "token": "卡号",
    "started": "开始",
    "ended_at": "结束",
    "duration": "时长",
    "energy": "电量",
    "power": "功率",
    "order": "订单",
    "platform": "平台",
    "state": "状态",
    "attempts": "次数",
    "when": "时间",
    "quality": "数据质量",
    "orders_waiting": "待上报",
    "orders_sent": "已上报",
    "orders_dead": "搁置",
    "charging": "充电中",
    "available": "空闲",
    "occupied": "占用",
    "faulted": "故障",
    "unavailable": "停用",
    "offline": "离线",
    "never-seen": "从未上线",
    "connected": "在线",
    "seconds_ago": "{n} 秒前",
    "minutes_ago": "{n} 分钟前",
    "hours_ago": "{n} 小时前",
    "days_ago": "{n} 天前",
    "never": "从未",
    "theme": "浅色 / 深色",
    "other_language": "English",
    "sign_out": "退出",
    "sign_in": "登录",
    "api_key": "API 密钥",
    "ask_key": "此页面需要 API 密钥，可用 `csms api-key create` 创建。",
    "wrong_key": "此密钥未登记或已作废。",
    "too_many": "尝试次数过多，请稍等一分钟。",
    "updated": "更新于 {t}",
    "stale": "数据库无响应，显示的是最近已知的数据。",
}

TEXTS: dict[Language, dict[str, str]] = {"zh-CN": ZH, "en": EN}
DASH = "–"


def preferred(cookie: str | None, accept_language: str) -> Language:
    """The language chosen before, else the one the browser asks for first, else English."""
    if cookie in LANGUAGES:
        return "zh-CN" if cookie == "zh-CN" else "en"
    return "zh-CN" if accept_language.strip().lower().startswith("zh") else "en"


def grouped(number: int) -> str:
    """12345 as `12,345`."""
    return f"{number:,}"


def energy(wh: int | None) -> tuple[str, str]:
    """Energy as number and unit: kWh with two decimals; MWh from 100,000 kWh on."""
    if wh is None:
        return DASH, "kWh"
    if abs(wh) >= 100_000_000:
        return f"{wh / 1_000_000:,.2f}", "MWh"
    return f"{wh / 1000:,.2f}", "kWh"


def power(watts: int | None) -> tuple[str, str]:
    """Power as number and unit: kW with one decimal; MW from 100,000 kW on."""
    if watts is None:
        return DASH, "kW"
    if abs(watts) >= 100_000_000:
        return f"{watts / 1_000_000:,.2f}", "MW"
    return f"{watts / 1000:,.1f}", "kW"


def duration(length: timedelta) -> str:
    """Hours, minutes and seconds: `1:02:03`."""
    seconds = max(0, int(length.total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def clock(at: datetime | None) -> str:
    """Hour, minute, second; the caller has put the time into the zone it is shown in."""
    return DASH if at is None else f"{at:%H:%M:%S}"


def ago(words: dict[str, str], at: datetime | None, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits."""
    if at is None:
        return words["never"]
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("days_ago", 86_400), ("hours_ago", 3_600), ("minutes_ago", 60)):
        if seconds >= 2 * size:
            return words[unit].format(n=seconds // size)
    return words["seconds_ago"].format(n=seconds)
