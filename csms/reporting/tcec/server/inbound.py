"""A platform as the server knows it: who it says it is, what it signs with, what it may ask and how often."""

from dataclasses import dataclass, field
from datetime import timedelta

from csms.config import PlatformSettings
from csms.reporting.tcec.envelope import Keys
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.server.rate import Rate
from csms.reporting.tcec.server.tokens import TokenMint

BURST_S = 5.0  # how many seconds' requests may come at once


@dataclass(frozen=True, slots=True)
class Inbound:
    """One platform that asks us. `city_id` is its own OperatorID, `operator` ours that it supervises."""

    name: str
    profile: Profile
    prefix: str
    city_id: str
    operator: str
    secret: str = field(repr=False)
    keys: Keys
    mint: TokenMint = field(repr=False)
    rate: Rate
    window: timedelta
    only: tuple[str, ...] = ()  # codes of sites; empty: all

    @classmethod
    def of(cls, settings: PlatformSettings, profile: Profile) -> "Inbound | None":
        """The platform of config.yaml; None where it has no `inbound`. Raises BadEnvelope (unusable keys)."""
        given = settings.inbound
        if given is None:
            return None
        secret = given.operator_secret.get_secret_value()
        keys = Keys(
            given.data_secret.get_secret_value(),
            given.data_secret_iv.get_secret_value(),
            given.sig_secret.get_secret_value(),
        )
        limits = profile.limits
        per_s = limits.pull_requests_per_s
        return cls(
            name=settings.name,
            profile=profile,
            prefix=given.prefix,
            city_id=given.operator_id,
            operator=settings.operator,
            secret=secret,
            keys=keys,
            mint=TokenMint(settings.name, limits.pull_token_s, secret, keys.sig_secret),
            rate=Rate(per_s, max(1.0, per_s * BURST_S)),
            window=timedelta(seconds=limits.pull_window_s),
            only=settings.sites,
        )

    @property
    def tells_all(self) -> bool:
        """Whether the platform is told of everything that its operator has."""
        return self.profile.reportable.sites == "all" and not self.only

    def paths(self) -> dict[str, str]:
        """Path from the root of what we serve -> kind of query."""
        pulls = self.profile.answered()
        return {self.prefix + self.profile.pull_path(pull.path): kind for kind, pull in pulls.items()}
