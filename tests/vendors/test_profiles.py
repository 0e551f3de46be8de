"""Vendor profiles: the files, and how one is found."""

import json
from pathlib import Path

import pytest

from csms.domain.assets import OcppVersion
from csms.domain.events import SessionStarted, TokenPresented
from csms.errors import ConfigError
from csms.protocol import DIALECTS, read
from csms.protocol.schema import decode
from csms.vendors import ORDINARY, load, profile_for


@pytest.mark.parametrize(
    ("vendor", "model", "name"),
    [
        ("ABB", "TERRA AC W22-T", "abb-terra-ac"),
        ("ABB", "Terra 360", "ordinary"),
        ("Wall Box Chargers", "Pulsar", "wallbox"),
        ("wallbox", "", "wallbox"),
        ("EN+", "x", "en-plus"),
        ("Nobody", "x", "ordinary"),
        ("", "", "ordinary"),
    ],
)
def test_found_by_what_the_station_says(vendor: str, model: str, name: str) -> None:
    """Case does not matter; nothing that matches is the ordinary station."""
    assert profile_for(vendor, model, "1.0").name == name


def test_ordinary_puts_up_with_the_standard() -> None:
    """No profile, no exception."""
    assert ORDINARY.repairs.limits == {}
    assert (ORDINARY.ping_s, ORDINARY.register, ORDINARY.caps) == (None, "lifetime", {})


def test_own_files_say_what_they_should() -> None:
    """A few facts that other parts rely on."""
    assert profile_for("ABB", "Terra AC").register == "session"
    assert profile_for("Wallbox").ping_s == 20
    assert profile_for("Solplanet").caps == {"value": 128}


def test_lenience_reaches_the_decoder(tmp_path: Path) -> None:
    """A raised limit and an alias of a profile count when its stations' payloads are decoded."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "- name: a\n  match: {vendor: A}\n  sources: []\n"
        "  lenience: {limits: {idTag: 30}, aliases: {status: {Napping: Available}}}\n"
    )
    (profile,) = load([file])

    authorize, _ = decode(OcppVersion.V16, "Authorize", b'{"idTag":"%b"}' % (b"t" * 25), profile.repairs)
    raw = b'{"connectorId":1,"errorCode":"Error","status":"NAPPING"}'
    status, _ = decode(OcppVersion.V16, "StatusNotification", raw, profile.repairs)

    assert len(authorize.idTag) == 25
    assert (status.status, status.errorCode) == ("Available", "OtherError")


@pytest.mark.parametrize(
    "text",
    [
        "- name: a\n  match: {vendor: A}\n  sources: []\n  pin_s: 20\n",
        "- name: a\n  match: {vendor: '('}\n  sources: []\n",
        "- name: a\n  match: {vendor: A}\n  sources: []\n  ping_s: 1\n",
        "- name: a\n",
        "name: [",
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    """Misspelt keys, patterns that are none, values out of range: the file is named."""
    file = tmp_path / "bad.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load([file])


@pytest.mark.parametrize(
    ("vendor", "model", "sent", "meant"),
    [
        ("Keba AG", "P30", "04A1B2C3_17619300", "04A1B2C3"),
        ("KEBA AG", "P30", "04A1B2C3", "04A1B2C3"),
        ("Someone", "Payment One", "x;04A1B2C3", "04A1B2C3"),
        ("Nobody", "x", "a;b_123456", "a;b_123456"),
    ],
)
def test_a_token_is_taken_as_it_was_meant(vendor: str, model: str, sent: str, meant: str) -> None:
    """What a make writes around its tokens is left out, in starts and authorizations alike."""
    repairs = profile_for(vendor, model).repairs
    start = {"connectorId": 1, "idTag": sent, "meterStart": 0, "timestamp": "2026-01-01T10:00:00Z"}

    started, _ = read(DIALECTS[OcppVersion.V16], "StartTransaction", json.dumps(start).encode(), repairs)
    presented, _ = read(DIALECTS[OcppVersion.V16], "Authorize", json.dumps({"idTag": sent}).encode(), repairs)

    assert isinstance(started, SessionStarted)
    assert isinstance(presented, TokenPresented)
    assert started.token is not None
    assert (started.token.text, presented.token.text) == (meant, meant)


def test_a_token_pattern_without_a_card_is_refused(tmp_path: Path) -> None:
    """It would swallow every token."""
    file = tmp_path / "a.yaml"
    file.write_text("- name: a\n  match: {vendor: A}\n  sources: []\n  lenience: {token: '.*'}\n")

    with pytest.raises(ConfigError, match=r"a\.yaml: a: token: has no group `card`"):
        load([file])
