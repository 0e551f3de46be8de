"""A platform of the settings as the server knows it."""

from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.server.inbound import Inbound
from tests.reporting.tcec.server.kit import CITY, OURS, SECRETS, inbound_of, settings_of


def test_the_secrets_are_those_of_this_direction() -> None:
    """Not those that the platform issued to us, and never shown."""
    platform = inbound_of()

    assert (platform.city_id, platform.operator, platform.secret) == (CITY, OURS, SECRETS.operator_secret)
    assert platform.keys.sig_secret == SECRETS.sig_secret
    for secret in (SECRETS.operator_secret, SECRETS.data_secret, SECRETS.sig_secret):
        assert secret not in repr(platform)


def test_limits_are_the_profiles() -> None:
    """Rate, life of tokens, time window."""
    platform = inbound_of()
    limits = platform.profile.limits

    assert platform.mint.lives_s == limits.pull_token_s
    assert platform.window.total_seconds() == limits.pull_window_s
    assert sum(platform.rate.take(0.0) for _ in range(1_000)) == limits.pull_requests_per_s * 5


def test_a_platform_that_may_ask_nothing() -> None:
    """Without `inbound` there is nobody to answer."""
    settings = settings_of().model_copy(update={"inbound": None})

    assert Inbound.of(settings, load_profile("tcec102-2016")) is None


def test_whom_it_is_told_of() -> None:
    """Everything, or the sites of the settings."""
    some = Inbound.of(settings_of().model_copy(update={"sites": ("S01",)}), load_profile("beijing"))

    assert some is not None
    assert (some.only, some.tells_all, inbound_of().tells_all) == (("S01",), False, True)


def test_paths_below_the_prefix() -> None:
    """The profile's base path and interface, after the settings' prefix."""
    paths = inbound_of(load_profile("beijing"), prefix="/city/a").paths()

    assert paths["/city/a/evcs/20160701/query_token"] == "query-token"
