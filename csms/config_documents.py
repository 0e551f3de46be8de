"""Settings of exports, statements, receipts and their delivery. Units are in config.yaml."""

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator

from csms.config_values import Positive, Seconds


class DocumentSettings(BaseModel):
    """Exports, statements and receipts, and where schedules deliver them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_zone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    exports_at_once: Positive = 4
    statement_closes_h: Positive = 72
    folder: str = ""
    webhook_hosts: tuple[str, ...] = ()
    webhook_private: bool = False
    webhook_timeout_s: Seconds = 60
    delivery_attempts: Positive = 10
    deliveries_kept_days: Positive = 400

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise ValueError("use an IANA time zone such as Asia/Shanghai") from exc
        return name
