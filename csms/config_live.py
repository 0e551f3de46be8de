"""Settings of the feed of changes and its readers, webhooks, alarms. Units are in config.yaml."""

from typing import Annotated

from pydantic import Field

from csms.config_values import Positive, Seconds, Section


class LiveSettings(Section):
    """The feed of changes and those who read it as it grows."""

    max_readers: Positive = 200
    max_readers_each: Positive = 50
    max_waiting: Positive = 2_000
    heartbeat_s: Seconds = 15
    progress_s: Seconds = 5
    retention_days: Positive = 30


class WebhookSettings(Section):
    """How changes are delivered to other programs."""

    private_addresses: bool = False
    plain_http: bool = False
    timeout_s: Seconds = 10
    batch: Positive = 100
    attempts: Positive = 15
    first_delay_s: Seconds = 2
    longest_delay_s: Seconds = 3_600
    retention_days: Positive = 30


class AlarmSettings(Section):
    """When something is worth an alarm, and when it is over."""

    look_s: Seconds = 10
    raise_after_s: Seconds = 20
    clear_after_s: Seconds = 60
    silent_after_s: Seconds = 900
    platform_late_s: Seconds = 900
    event_lasts_s: Seconds = 86_400
    refused_logins: Positive = 5
    disk_free: Annotated[float, Field(ge=0, lt=1)] = 0.1
    retention_days: Positive = 365
