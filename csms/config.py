"""config.yaml and the environment into validated settings. Errors name file, line and key."""

import os
import socket
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from csms.config_documents import DocumentSettings
from csms.config_http import AccountSettings, ConsoleSettings, HttpSettings
from csms.config_live import AlarmSettings, LiveSettings, WebhookSettings
from csms.config_values import AesKey, Port, Positive, Seconds, SecretsKey, Section
from csms.errors import ConfigError

DEFAULT_FILE = "config.yaml"
PREFIX = "CSMS_"
MOST_WORKERS = 64


class DatabaseSettings(Section):
    """Where records are kept and how long a write may wait."""

    url: str = "sqlite:///data/csms.db"
    hold_s: Annotated[float, Field(gt=0, lt=28)] = 20
    max_waiting: Positive = 10_000
    read_connections: Positive = 4
    secrets_key: SecretsKey = SecretStr("")

    @model_validator(mode="after")
    def _known_database(self) -> "DatabaseSettings":
        if not self.url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("url: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
        return self


class GatewaySettings(Section):
    """The door for charging stations. Units are in config.yaml beside each key."""

    host: str = "0.0.0.0"  # noqa: S104 - stations come from outside
    port: Port = 9000
    workers: Annotated[int, Field(ge=1, le=MOST_WORKERS)] = 1
    security_profiles: list[Literal[0, 1]] = Field(default=[1])
    unknown_stations: Literal["refuse", "quarantine-accept"] = "refuse"
    origin_allowed: bool = False
    fast_path: bool = True
    open_timeout_s: Seconds = 10
    close_timeout_s: Seconds = 5
    send_timeout_s: Seconds = 10
    ping_interval_s: Seconds = 30
    idle_timeout_s: Seconds = 90
    max_message_bytes: Positive = 1_048_576
    max_small_message_bytes: Positive = 65_536
    max_queued_frames: Positive = 8
    max_queued_bytes: Positive = 268_435_456
    write_buffer_bytes: Positive = 32_768
    deflate: bool = True
    max_handshakes: Positive = 200
    max_unauthenticated: Positive = 1_000
    handshakes_per_ip_per_s: Seconds = 50
    handshakes_per_ip_burst: Positive = 200
    handshakes_per_identity_s: Seconds = 2
    handshakes_per_identity_burst: Positive = 5
    failed_logins_per_min: Positive = 10
    messages_per_s: Seconds = 20
    messages_burst: Positive = 500
    protocol_errors_per_min: Positive = 10
    penalty_s: Seconds = 60
    call_timeout_s: Seconds = 30
    max_queued_calls: Positive = 32
    command_expiry_s: Seconds = 60
    takeover_alarm_per_10min: Positive = 5

    def of_one_worker(self) -> "GatewaySettings":
        """Each worker has its share of what is limited for all stations together."""
        if self.workers == 1:
            return self
        shared = ("max_queued_bytes", "max_handshakes", "max_unauthenticated", "handshakes_per_ip_burst")
        shares: dict[str, float] = {name: -(-getattr(self, name) // self.workers) for name in shared}
        shares["handshakes_per_ip_per_s"] = self.handshakes_per_ip_per_s / self.workers
        return self.model_copy(update=shares)


class BootSettings(Section):
    """What stations hear at boot."""

    approve: bool = True
    heartbeat_interval_s: Positive = 300
    retry_interval_s: Positive = 60
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1


class SessionSettings(Section):
    """Rules for charging sessions."""

    unknown_tokens: Literal["refuse", "accept"] = "refuse"
    close_suspected_after_h: Seconds = 24
    default_max_power_w: Positive = 500_000


class MessageSettings(Section):
    """The message log."""

    log: bool = True
    max_bytes: Positive = 4_096
    retention_days: Positive = 14
    max_waiting: Positive = 50_000


class _Secrets(Section):
    """What one side of a platform shows the other."""

    operator_secret: SecretStr = Field(min_length=1)
    data_secret: AesKey
    data_secret_iv: AesKey
    sig_secret: SecretStr = Field(min_length=1)


class InboundSettings(_Secrets):
    """What a city platform shows when it asks us: keys of this direction. `prefix`: before its paths."""

    operator_id: str = Field(min_length=9, max_length=9)
    prefix: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")


class PlatformSettings(_Secrets):
    """One city platform and the secrets it issued."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    profile: str
    url: str = Field(pattern=r"^https?://")
    operator: str = Field(min_length=9, max_length=9)
    paused: bool = False
    sites: tuple[str, ...] = ()
    inbound: InboundSettings | None = None


class ReportingSettings(Section):
    """Totals and what is owed to city platforms."""

    grace_s: Seconds = 120
    poll_s: Seconds = 2
    outbox_batch: Positive = 100
    outbox_lease_s: Seconds = 60
    outbox_attempts: Positive = 10
    outbox_retention_days: Positive = 120
    platforms: list[PlatformSettings] = Field(default=[])

    @field_validator("platforms")
    @classmethod
    def _names_differ(cls, platforms: list[PlatformSettings]) -> list[PlatformSettings]:
        names = [one.name for one in platforms]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two platforms have the name {', '.join(twice)}; what is owed goes by it")
        return platforms


Precision = Annotated[str, Field(pattern=r"^[0-6] (truncate|round)$")]


class YearbookSettings(Section):
    """What the yearbook counts, and with how many digits and which rounding its figures are printed."""

    time_zone: str = "Asia/Shanghai"
    counted: Annotated[
        tuple[Literal["private", "public-dedicated", "workplace-internal", "social-public"], ...],
        Field(min_length=1),
    ] = ("social-public",)
    operators: Precision = "0 truncate"
    sites: Precision = "0 truncate"
    chargers: Precision = "2 round"
    energy: Precision = "2 round"
    sessions: Precision = "2 round"
    ten_thousands: Precision = "2 round"
    utilisation: Precision = "2 round"


class ClusterSettings(Section):
    """Several processes that share the stations of one database."""

    nats_url: str = ""
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = ""

    @field_validator("nats_url")
    @classmethod
    def _known_bus(cls, text: str) -> str:
        urls = [url.strip() for url in text.split(",")] if text.strip() else []
        if not all(map(_is_nats_url, urls)):
            raise ValueError("use nats://HOST:PORT or tls://HOST:PORT, several with commas")
        return ",".join(urls)

    @property
    def node_name(self) -> str:
        """The name of this process among the others."""
        return self.node or socket.gethostname()


def _is_nats_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("nats", "tls") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


class LogSettings(Section):
    """How the program speaks."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Settings(BaseSettings):
    """Everything configurable. `Settings.load` is the way in; the environment wins over the file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database: DatabaseSettings = DatabaseSettings()
    gateway: GatewaySettings = GatewaySettings()
    boot: BootSettings = BootSettings()
    sessions: SessionSettings = SessionSettings()
    messages: MessageSettings = MessageSettings()
    http: HttpSettings = HttpSettings()
    console: ConsoleSettings = ConsoleSettings()
    accounts: AccountSettings = AccountSettings()
    reporting: ReportingSettings = ReportingSettings()
    yearbook: YearbookSettings = YearbookSettings()
    documents: DocumentSettings = DocumentSettings()
    cluster: ClusterSettings = ClusterSettings()
    live: LiveSettings = LiveSettings()
    webhooks: WebhookSettings = WebhookSettings()
    alarms: AlarmSettings = AlarmSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what `load` read from the file."""
        return env_settings, init_settings

    @classmethod
    def load(cls, file: Path | None = None) -> "Settings":
        """Read `file`, or config.yaml of this directory where there is one.

        Raises ConfigError naming file, line and key.
        """
        path = file or Path(os.environ.get(PREFIX + "CONFIG", DEFAULT_FILE))
        if not path.exists():
            if file is not None:
                raise ConfigError(f"{path} does not exist")
            path = Path(os.devnull)
        values, lines = _read_yaml(path)
        _refuse_unknown_environment()
        try:
            return cls(**values)
        except ValidationError as exc:
            raise ConfigError(_explain(exc, path, lines)) from exc


def _read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple[str, ...], int]]:
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not valid YAML: {getattr(exc, 'problem', exc)}") from exc
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: expected sections such as `gateway:`, found {type(values).__name__}")
    return values, dict(_lines_of(node, ()))


def _lines_of(node: yaml.Node | None, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
    """Line (from 1) of every key and list item, by its path."""
    if isinstance(node, yaml.MappingNode):
        found = []
        for key, value in node.value:
            here = (*path, str(key.value))
            found += [(here, key.start_mark.line + 1), *_lines_of(value, here)]
        return found
    if isinstance(node, yaml.SequenceNode):
        found = []
        for n, item in enumerate(node.value):
            here = (*path, str(n))
            found += [(here, item.start_mark.line + 1), *_lines_of(item, here)]
        return found
    return []


def _explain(exc: ValidationError, path: Path, lines: dict[tuple[str, ...], int]) -> str:
    problems = []
    for error in exc.errors(include_url=False, include_input=False):
        where = tuple(str(part) for part in error["loc"])
        variable = PREFIX + "__".join(where).upper()
        known = error["type"] != "extra_forbidden"
        what = error["msg"] if known else "there is no such setting; see config.yaml for all of them"
        line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), None)
        source = variable if variable in os.environ else f"{path}:{line}" if line else str(path)
        problems.append(f"{source}: {'.'.join(where)}: {what}")
    return "; ".join(problems)


def _refuse_unknown_environment() -> None:
    """A misspelt CSMS_SECTION__KEY would otherwise be ignored in silence."""
    for name in sorted(os.environ):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        field = Settings.model_fields.get(section)
        keys = getattr(field.annotation, "model_fields", {}) if field else {}
        if key.split("__")[0] not in keys:
            raise ConfigError(f"environment: {name}: there is no setting {section}.{key}; see config.yaml")
