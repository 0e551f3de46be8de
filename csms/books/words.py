"""What statements and receipts say, in Chinese and English; numbers and times as people read them."""

from datetime import datetime, tzinfo
from decimal import Decimal

from csms.books.fields import Language

WORDS: dict[str, tuple[str, str]] = {
    "statement": ("Statement", "充电对账单"),
    "receipt": ("Charging receipt", "充电收据"),
    "operator": ("Operator", "运营商"),
    "code": ("Code", "组织机构代码"),
    "uscid": ("USCID", "统一社会信用代码"),
    "tel": ("Telephone", "电话"),
    "month": ("Month", "账期"),
    "time_zone": ("Time zone", "时区"),
    "as_of": ("As of", "数据截至"),
    "closes_at": ("Closed from", "结账时间"),
    "open": ("Not closed yet: figures may still change.", "账期未结，数据可能变动。"),
    "summary": ("Summary", "汇总"),
    "by_site": ("By site", "按充电站"),
    "by_day": ("By day", "按日"),
    "by_period": ("By time-of-use period", "按分时时段"),
    "corrections": ("Corrections after closing", "结账后更正"),
    "disputes": ("Disputes of platforms", "平台争议"),
    "sessions_sheet": ("Sessions", "充电明细"),
    "site": ("Site", "充电站"),
    "name": ("Name", "名称"),
    "day": ("Day", "日期"),
    "period": ("Period", "时段"),
    "sharp": ("Sharp", "尖"),
    "peak": ("Peak", "峰"),
    "flat": ("Flat", "平"),
    "valley": ("Valley", "谷"),
    "sessions": ("Sessions", "充电次数"),
    "unpriced": ("Without a price", "未计价"),
    "energy": ("Energy (kWh)", "电量 (kWh)"),
    "elec_price": ("Electricity (CNY/kWh)", "电价 (元/kWh)"),
    "service_price": ("Service (CNY/kWh)", "服务费单价 (元/kWh)"),
    "elec_money": ("Electricity (CNY)", "电费 (元)"),
    "service_money": ("Service (CNY)", "服务费 (元)"),
    "idle_money": ("Idle fee (CNY)", "占位费 (元)"),
    "parking_money": ("Parking (CNY)", "停车费 (元)"),
    "money": ("Money (CNY)", "金额 (元)"),
    "total": ("Total (CNY)", "总金额 (元)"),
    "total_when_closed": ("Total when closed (CNY)", "结账时总金额 (元)"),
    "corrected": ("Corrections (CNY)", "更正合计 (元)"),
    "difference": ("Difference (CNY)", "差额 (元)"),
    "before": ("Before (CNY)", "更正前 (元)"),
    "now": ("Now (CNY)", "更正后 (元)"),
    "session": ("Session", "充电会话"),
    "order": ("Order number", "充电订单号"),
    "started": ("Started", "开始时间"),
    "ended": ("Ended", "结束时间"),
    "duration": ("Duration", "充电时长"),
    "priced": ("Priced", "计价时间"),
    "revision": ("Revision", "版次"),
    "reason": ("Reason", "原因"),
    "platform": ("Platform", "监管平台"),
    "raised": ("Raised", "提出时间"),
    "resolved": ("Resolved", "解决时间"),
    "their_money": ("Their money (CNY)", "平台金额 (元)"),
    "our_money": ("Our money (CNY)", "我方金额 (元)"),
    "sum": ("Sum", "合计"),
    "station": ("Charging station", "充电设备"),
    "connector": ("EVSE / connector", "EVSE / 接口"),
    "token": ("Id token", "卡号/账号"),
    "address": ("Address", "地址"),
    "meter_start": ("Meter at start (kWh)", "起始表底 (kWh)"),
    "meter_stop": ("Meter at end (kWh)", "结束表底 (kWh)"),
    "stop_reason": ("Stop reason", "停止原因"),
    "tariff": ("Tariff", "电价方案"),
    "from_to": ("Time", "时间"),
    "idle": ("Idle fee, {n} min", "占位费，{n} 分钟"),
    "parking": ("Parking, {n} min", "停车费，{n} 分钟"),
    "is_corrected": ("Corrected, revision {n}", "已更正，第 {n} 版"),
    "no_price": ("No price applies to this session.", "本次充电无适用电价。"),
    "running": ("The session still runs: figures are those so far.", "充电进行中，数据为截至目前。"),
    "many": (
        "Only the first {n} are listed; all are in the sums.",
        "仅列出前 {n} 条，合计包含全部。",
    ),
    "and": ("from {a} to {b}, times of {tz}", "{a} 至 {b}，时间为 {tz}"),
}


class Words:
    """Texts of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._place = 1 if language == "zh-CN" else 0

    def __call__(self, name: str, **values: object) -> str:
        """The text of this name."""
        words = WORDS[name][self._place]
        return words.format(**values) if values else words


def kwh(wh: int | None) -> str:
    """Wh as kWh with three digits: `22.500`; nothing for nothing."""
    return "" if wh is None else f"{Decimal(wh).scaleb(-3):,.3f}"


def cny(money: str | None) -> str:
    """Decimal text with thousands: `1,234.50`."""
    return "" if money is None else f"{Decimal(money):,.2f}"


def clock(at: str | None, local: tzinfo, seconds: bool = True) -> str:
    """An ISO time by a local clock."""
    if at is None:
        return ""
    return (
        datetime.fromisoformat(at)
        .astimezone(local)
        .strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
    )
