"""config.yaml and the environment into validated settings. Errors name file, line and key."""

import os
import socket
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from csms.errors import ConfigError

DEFAULT_FILE = "config.yaml"
PREFIX = "CSMS_"

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system picks one (tests)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Section):
    """Where records are kept and how long a write may wait."""

    url: str = "sqlite:///data/csms.db"
    hold_s: Annotated[float, Field(gt=0, lt=28)] = 20
    max_waiting: Positive = 10_000
    read_connections: Positive = 4

    @model_validator(mode="after")
    def _known_database(self) -> "DatabaseSettings":
        if not self.url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("url: use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
        return self


class GatewaySettings(_Section):
    """The door for charging stations. Units are in config.yaml beside each key."""

    host: str = "0.0.0.0"  # noqa: S104 - stations come from outside
    port: Port = 9000
    security_profiles: list[Literal[0, 1]] = [1]
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


class BootSettings(_Section):
    """What stations hear at boot."""

    approve: bool = True
    heartbeat_interval_s: Positive = 300
    retry_interval_s: Positive = 60
    jitter: Annotated[float, Field(ge=0, lt=1)] = 0.1


class SessionSettings(_Section):
    """Rules for charging sessions."""

    unknown_tokens: Literal["refuse", "accept"] = "refuse"
    close_suspected_after_h: Seconds = 24
    default_max_power_w: Positive = 500_000


class MessageSettings(_Section):
    """The message log."""

    log: bool = True
    max_bytes: Positive = 4_096
    retention_days: Positive = 14
    max_waiting: Positive = 50_000


class HttpSettings(_Section):
    """The door for programs and people."""

    host: str = "127.0.0.1"
    port: Port = 8080
    status_page: Literal["key", "public"] = "key"
    page_limit: Positive = 1_000


class PlatformSettings(_Section):
    """One city platform and the secrets it issued."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    profile: str
    url: str = Field(pattern=r"^https?://")
    operator: str = Field(min_length=9, max_length=9)
    operator_secret: SecretStr
    data_secret: SecretStr = Field(min_length=16, max_length=16)
    data_secret_iv: SecretStr = Field(min_length=16, max_length=16)
    sig_secret: SecretStr = Field(min_length=1)
    paused: bool = False


class ReportingSettings(_Section):
    """Totals and what is owed to city platforms."""

    grace_s: Seconds = 120
    poll_s: Seconds = 2
    outbox_batch: Positive = 100
    outbox_lease_s: Seconds = 60
    outbox_attempts: Positive = 10
    platforms: list[PlatformSettings] = []


class ClusterSettings(_Section):
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


class LogSettings(_Section):
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
    reporting: ReportingSettings = ReportingSettings()
    cluster: ClusterSettings = ClusterSettings()
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
        key = ".".join(where)
        variable = PREFIX + "__".join(where).upper()
        known = error["type"] != "extra_forbidden"
        what = error["msg"] if known else "there is no such setting; see config.yaml for all of them"
        line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), None)
        source = variable if variable in os.environ else f"{path}:{line}" if line else str(path)
        problems.append(f"{source}: {key}: {what}")
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
