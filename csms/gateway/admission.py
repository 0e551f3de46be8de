"""Who may knock, how often, and who has to wait. No socket, no store; the clock comes in from outside.

Addresses are limited before anything is looked up. An identity is limited only by what its own,
authenticated connections do, and failed logins count per identity and address: whoever guesses
passwords for a station locks himself out, never the station.
"""

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable

from csms.config import GatewaySettings

MOST_KEYS = 50_000  # addresses or identities remembered by one limiter
MINUTE_S = 60.0
TAKEOVER_WINDOW_S = 600.0


class Limiter:
    """A token bucket per key, kept as one number: the time at which the bucket will be full again."""

    def __init__(self, per_s: float, burst: int, most_keys: int = MOST_KEYS) -> None:
        self._step = 1.0 / per_s
        self._depth = burst * self._step
        self._most = most_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until `key` may; 0.0 when it may now, which is then counted."""
        full_at = max(self._full_at.get(key, now), now) + self._step
        if full_at - now > self._depth + 1e-9:
            return full_at - now - self._depth
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return 0.0

    def left(self, key: str, now: float) -> float:
        """Seconds until `key` may, without counting anything."""
        full_at = self._full_at.get(key, now)
        return max(0.0, full_at + self._step - now - self._depth - 1e-9)

    def __len__(self) -> int:
        return len(self._full_at)


class Admission:
    """The limits of the section `gateway`, for one process."""

    def __init__(self, settings: GatewaySettings, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._most_sockets = settings.max_unauthenticated
        # One address may hold a fifth: a fleet behind one carrier NAT still gets in.
        self._most_per_address = max(1, settings.max_unauthenticated // 5)
        self._penalty_s = settings.penalty_s
        self._sockets = 0
        self._sockets_of: dict[str, int] = {}
        self._addresses = Limiter(settings.handshakes_per_ip_per_s, settings.handshakes_per_ip_burst)
        self._identities = Limiter(
            1.0 / settings.handshakes_per_identity_s, settings.handshakes_per_identity_burst
        )
        self._failures = Limiter(settings.failed_logins_per_min / MINUTE_S, settings.failed_logins_per_min)
        self._blocked = _Until()
        self._penalties = _Until()
        self._known_good: OrderedDict[str, None] = OrderedDict()
        self._takeovers: OrderedDict[str, deque[float]] = OrderedDict()
        self._takeover_alarm = settings.takeover_alarm_per_10min

    @property
    def unauthenticated(self) -> int:
        """Sockets that have shown no credential yet."""
        return self._sockets

    def enter(self, address: str) -> bool:
        """Count a new socket; False when there are too many that have not authenticated."""
        mine = self._sockets_of.get(address, 0)
        if self._sockets >= self._most_sockets or mine >= self._most_per_address:
            return False
        self._sockets += 1
        self._sockets_of[address] = mine + 1
        return True

    def leave(self, address: str) -> None:
        """The socket is authenticated or gone."""
        self._sockets -= 1
        mine = self._sockets_of[address] - 1
        if mine:
            self._sockets_of[address] = mine
        else:
            del self._sockets_of[address]

    def wait_of_address(self, address: str) -> float:
        """Seconds until this address may try a handshake; 0.0 counts one."""
        return self._addresses.wait(address, self._clock())

    def wait_of_identity(self, identity: str) -> float:
        """Seconds until this station may connect again; 0.0 counts one. Ask after authentication only."""
        return self._identities.wait(identity, self._clock())

    def wait_of_login(self, identity: str, address: str) -> float:
        """Seconds until this address may log in as this identity.

        An address from which the station has come before keeps its way in: behind carrier NAT the
        guesser may share it.
        """
        key = f"{identity}\n{address}"
        if key in self._known_good:
            return 0.0
        return self._blocked.left(key, self._clock())

    def login_failed(self, identity: str, address: str) -> None:
        """Count a failed login; beyond the limit the pair of identity and address waits."""
        now, key = self._clock(), f"{identity}\n{address}"
        if self._failures.wait(key, now) > 0.0:
            self._blocked.put(key, now + self._penalty_s, now)

    def login_worked(self, identity: str, address: str) -> None:
        """Remember that this station comes from this address."""
        key = f"{identity}\n{address}"
        self._known_good[key] = None
        self._known_good.move_to_end(key)
        if len(self._known_good) > MOST_KEYS:
            self._known_good.popitem(last=False)

    def penalize(self, identity: str) -> None:
        """An authenticated station broke the protocol too often: refuse it for a while."""
        now = self._clock()
        self._penalties.put(identity, now + self._penalty_s, now)

    def penalty_of(self, identity: str) -> float:
        """Seconds this station is still refused."""
        return self._penalties.left(identity, self._clock())

    def taken_over(self, identity: str) -> bool:
        """Count a connection that replaced a live one; True when that makes an alarm (H34)."""
        now = self._clock()
        times = self._takeovers.setdefault(identity, deque(maxlen=self._takeover_alarm + 1))
        self._takeovers.move_to_end(identity)
        if len(self._takeovers) > MOST_KEYS:
            self._takeovers.popitem(last=False)
        times.append(now)
        if len(times) <= self._takeover_alarm or now - times[0] > TAKEOVER_WINDOW_S:
            return False
        times.clear()  # the next alarm needs as many again
        return True


class _Until:
    """Keys that have to wait until a time."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()

    def put(self, key: str, until: float, now: float) -> None:
        self._until[key] = until
        self._until.move_to_end(key)
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now and len(self._until) <= MOST_KEYS:
                return
            del self._until[oldest]

    def left(self, key: str, now: float) -> float:
        return max(0.0, self._until.get(key, now) - now)


def address_key(host: str) -> str:
    """What one sender counts as: an IPv4 address, or an IPv6 /64 (whose owner has all of it)."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return address.packed[:8].hex()
