"""Operators, stations, tokens: words that go over the wire or into the database."""

from csms.domain.assets import BootStatus, ChargingStation, IdToken, OcppVersion, TokenStatus


def test_versions_are_their_subprotocols() -> None:
    """As registered with IANA."""
    assert [version.value for version in OcppVersion] == ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]


def test_a_station_is_unapproved_until_someone_approves_it() -> None:
    """Nothing is trusted by default."""
    assert ChargingStation(1, "CS").boot_status is BootStatus.PENDING
    assert IdToken("A").status is TokenStatus.ACCEPTED
    assert IdToken("A").concurrent_limit == 1
