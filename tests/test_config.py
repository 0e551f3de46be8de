"""Settings: defaults, the file, the environment, and errors that say where."""

import socket
from pathlib import Path

import pytest
import yaml

from csms.config import Settings
from csms.errors import ConfigError

ROOT = Path(__file__).parents[1]


def test_the_shipped_file_holds_the_defaults_and_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What config.yaml shows is what runs without it, and no setting is missing from it."""
    text = (ROOT / "config.yaml").read_text()

    assert Settings.load(ROOT / "config.yaml") == Settings()
    for section, field in Settings.model_fields.items():
        assert f"\n{section}:" in text
        for key in field.annotation.model_fields:  # type: ignore[union-attr]
            assert f"\n  {key}:" in text, f"{section}.{key}"


def test_every_setting_has_a_comment() -> None:
    """Unit or reason stand beside each key."""
    lines = [line for line in (ROOT / "config.yaml").read_text().splitlines() if line.startswith("  ")]
    bare = [line for line in lines if not line.strip().startswith("#") and "#" not in line]

    assert bare == []


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSMS_SECTION__KEY overrides one key and leaves its neighbours."""
    file = tmp_path / "c.yaml"
    file.write_text("gateway:\n  port: 9001\n  host: 127.0.0.1\n")
    monkeypatch.setenv("CSMS_GATEWAY__PORT", "9002")

    gateway = Settings.load(file).gateway

    assert (gateway.port, gateway.host) == (9002, "127.0.0.1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gateway:\n  prot: 1\n", ":2: gateway.prot: there is no such setting"),
        ("gateway:\n  port: many\n", ":2: gateway.port: Input should be a valid integer"),
        ("gateway:\n  port: 70000\n", ":2: gateway.port: Input should be less than or equal to 65535"),
        ("gatway:\n  port: 1\n", ":1: gatway: there is no such setting"),
        ("database:\n  url: mysql://x\n", ":1: database: Value error, url: use sqlite:///"),
        ("gateway: [1\n", ":2: not valid YAML"),
        ("- 1\n", ":1: expected sections"),
        ("cluster:\n  nats_url: localhost:4222\n", ":2: cluster.nats_url: Value error, use nats://HOST"),
        ("cluster:\n  nats_url: nats://a:1, nats://b:x\n", ":2: cluster.nats_url: Value error, use nats:"),
        ("cluster:\n  node: two words\n", ":2: cluster.node: String should match"),
        ("reporting:\n  platforms:\n    - name: Beijing City\n", "reporting.platforms.0.name"),
    ],
)
def test_a_bad_file_names_file_line_and_key(tmp_path: Path, text: str, told: str) -> None:
    """The operator can go straight to the line."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        Settings.load(file)

    assert f"{file}" in str(caught.value)
    assert told in str(caught.value)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """Nobody mends a file one error at a time."""
    file = tmp_path / "config.yaml"
    file.write_text("gateway:\n  port: x\nhttp:\n  port: y\n")

    with pytest.raises(ConfigError) as caught:
        Settings.load(file)

    assert ":2: gateway.port" in str(caught.value)
    assert ":4: http.port" in str(caught.value)


@pytest.mark.parametrize("name", ["CSMS_GATEWAY__PRT", "CSMS_GATWAY__PORT"])
def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Ignored in silence it would cost somebody a night."""
    monkeypatch.setenv(name, "1")

    with pytest.raises(ConfigError, match=name):
        Settings.load()


def test_a_bad_value_in_the_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not to blame for it."""
    monkeypatch.setenv("CSMS_HTTP__PORT", "x")

    with pytest.raises(ConfigError, match=r"CSMS_HTTP__PORT: http\.port"):
        Settings.load()


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    """Serving with defaults in its place would be worse than not serving."""
    with pytest.raises(ConfigError, match="does not exist"):
        Settings.load(tmp_path / "none.yaml")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    """A settings object in a traceback or log gives no secret away."""
    file = tmp_path / "config.yaml"
    secrets = {
        "operator_secret": "canary-one",
        "data_secret": "canary-two-16-ch",
        "sig_secret": "canary-four",
    }
    lines = [f"      {key}: {value}" for key, value in secrets.items()]
    file.write_text(
        "reporting:\n  platforms:\n    - name: a\n      profile: beijing\n      url: https://x.example\n"
        '      operator: "123456789"\n      data_secret_iv: canary-threexxxx\n' + "\n".join(lines) + "\n"
    )

    assert "canary" not in repr(Settings.load(file))


def test_a_node_has_a_name(tmp_path: Path) -> None:
    """The host's, unless it is given one; servers of the bus may be several."""
    file = tmp_path / "config.yaml"
    file.write_text("cluster:\n  nats_url: nats://a:1, tls://u:p@b\n  node: east-2\n")

    assert Settings().cluster.node_name == socket.gethostname()
    assert Settings.load(file).cluster.node_name == "east-2"
    assert Settings.load(file).cluster.nats_url == "nats://a:1,tls://u:p@b"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("operator_id", "12345678", "inbound.operator_id: String should have at least 9 characters"),
        (
            "data_secret",
            "fifteen-letters",
            "inbound.data_secret: Value error, 15 bytes; an AES",
        ),
        ("prefix", "city/", "inbound.prefix: String should match pattern"),
        ("secret", "x", "inbound.secret: there is no such setting"),
    ],
)
def test_what_a_platform_may_ask_with(tmp_path: Path, key: str, value: str, told: str) -> None:
    """Keys of the city's own direction are checked like ours; no value of a secret is repeated."""
    secret = "0123456789abcdef"
    keys = dict.fromkeys(("operator_secret", "data_secret", "data_secret_iv", "sig_secret"), secret)
    inbound = {**keys, "operator_id": "987654321"} | {key: value}
    platform = {"name": "city", "profile": "beijing", "url": "https://a", "operator": "123456789", **keys}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"reporting": {"platforms": [{**platform, "inbound": inbound}]}}))

    with pytest.raises(ConfigError) as caught:
        Settings.load(file)

    assert told in str(caught.value)
    assert "fifteen-letters" not in str(caught.value)


def test_platforms_of_one_name(tmp_path: Path) -> None:
    """What is owed goes by the name: two of one would share it."""
    secret = "0123456789abcdef"
    secrets = dict.fromkeys(("operator_secret", "data_secret", "data_secret_iv", "sig_secret"), secret)
    platform = {"name": "city", "profile": "beijing", "url": "https://a", "operator": "123456789", **secrets}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"reporting": {"platforms": [platform, platform]}}))

    with pytest.raises(ConfigError, match=r"reporting.platforms: .*two platforms have the name city"):
        Settings.load(file)
