"""Who is connected here."""

from csms.domain.assets import BootStatus, OcppVersion
from tests.gateway.kit import Door


async def test_connections_are_counted_by_version_and_status() -> None:
    """For metrics, at the time they are asked for."""
    async with Door() as door:
        for n, (version, status) in enumerate(
            [
                ("ocpp1.6", BootStatus.ACCEPTED),
                ("ocpp1.6", BootStatus.ACCEPTED),
                ("ocpp2.1", BootStatus.PENDING),
            ]
        ):
            door.desk.register(f"CS-{n}", boot_status=status)
            await door.connect(f"CS-{n}", version)

        assert door.gateway.roster.count() == {
            (OcppVersion.V16, "accepted"): 2,
            (OcppVersion.V21, "pending"): 1,
        }
        assert len(door.gateway.roster) == 3


async def test_who_leaves_is_compared_with_who_is_listed() -> None:
    """H31: the end of a replaced connection leaves its replacement alone."""
    async with Door() as door:
        door.desk.register("CS-1")
        await door.connect("CS-1")
        old = door.gateway.roster._lines["CS-1"]
        await door.connect("CS-1")
        new = door.gateway.roster._lines["CS-1"]

        assert old is not new
        assert not door.gateway.roster.leave(old)
        assert door.gateway.roster.find("CS-1") is new.connection
        assert door.gateway.roster.leave(new)
        assert door.gateway.roster.find("CS-1") is None


async def test_dropping_a_station_that_is_not_here() -> None:
    """Nothing happens; it may be elsewhere."""
    async with Door() as door:
        assert not door.gateway.roster.drop("CS-1")
