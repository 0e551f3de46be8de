"""What `csms doctor` says about the message bus."""

from pathlib import Path

from csms.config import ClusterSettings, DatabaseSettings, Settings
from csms.doctor import Finding, examine
from tests.cluster.natskit import NatsServer


def bus_finding(folder: Path, nats_url: str) -> Finding:
    """The one finding this is about."""
    settings = Settings(
        database=DatabaseSettings(url=f"sqlite:///{folder}/csms.db"),
        cluster=ClusterSettings(nats_url=nats_url, node="east-1"),
    )
    return next(finding for finding in examine(settings) if finding.check == "message bus")


def test_no_bus_is_well(tmp_path: Path) -> None:
    """A single process needs none."""
    assert bus_finding(tmp_path, "").well


def test_a_bus_must_answer(tmp_path: Path, nats_server: NatsServer) -> None:
    """And what to check when it does not."""
    there = bus_finding(tmp_path, nats_server.url)
    nats_server.kill()
    away = bus_finding(tmp_path, nats_server.url)

    assert there.well
    assert "this node is east-1" in there.seen
    assert not away.well
    assert "cluster.nats_url" in away.mend
