"""The command line as its user sees it: what it prints, and with which code it ends."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest


class Shell:
    """Runs `csms` in a folder of its own, with its own config.yaml."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "data" / "csms.db"
        gateway, http = _free_ports(2)
        (folder / "config.yaml").write_text(
            f"database:\n  url: sqlite:///{self.database}\n"
            f"gateway:\n  port: {gateway}\nhttp:\n  port: {http}\n"
        )

    def __call__(self, *words: str, code: int = 0) -> str:
        """What `csms WORDS` printed, both streams; its exit code is checked."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CSMS_")}
        done = subprocess.run(
            [sys.executable, "-m", "csms", *words],
            cwd=self.folder,
            env=environment | {"COLUMNS": "250"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def csms(tmp_path: Path) -> Shell:
    """The command line on an empty folder."""
    return Shell(tmp_path)


def test_migrate_makes_the_tables_and_may_be_repeated(csms: Shell) -> None:
    """The second time it says that nothing was to do."""
    assert "of this release now" in csms("migrate")
    assert "already" in csms("migrate")


def test_a_station_gets_a_password_that_is_shown_once(csms: Shell) -> None:
    """Only its hash is in the database."""
    told = csms("station", "add", "CS-1", "--generate")

    password = re.search(r"password \(shown once\): (\S{16,40})", told)
    assert password is not None
    with sqlite3.connect(csms.database) as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert password[1] not in dump


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("station", "add", "CS:1", "--generate"), "':'"),
        (("station", "add", "C" * 49, "--generate"), "1 to 48 characters"),
        (("station", "add", "CS-1"), "a password is needed"),
        (("station", "add", "CS-1", "--password", "short"), "16 to 40 bytes"),
        (("station", "add", "CS-1", "--generate", "--site", "NOWHERE"), "site NOWHERE"),
        (("station", "add", "CS-1", "--generate", "--assume-version", "1.5"), "ocpp1.6"),
        (("id-token", "add", "A1", "--status", "maybe"), "accepted"),
        (("api-key", "create", "--role", "admin", "--operator", "000000000"), "operator 000000000"),
        (("migrate", "--config", "none.yaml"), "none.yaml does not exist"),
    ],
)
def test_bad_input_is_one_clear_line(csms: Shell, words: tuple[str, ...], told: str) -> None:
    """What is wrong and what to do, and no traceback."""
    printed = csms(*words, code=1)

    assert printed.startswith("error ")
    assert told in printed
    assert "Traceback" not in printed


def test_a_key_stands_alone_on_the_last_line(csms: Shell) -> None:
    """So that a script can take it."""
    lines = csms("api-key", "create", "--role", "viewer").splitlines()

    assert re.fullmatch(r"csms_\S{40,}", lines[-1])


def test_doctor_is_content_with_a_fit_machine(csms: Shell) -> None:
    """Each check says what it saw."""
    told = csms("doctor")

    for check in ("settings", "gateway port", "http port", "database", "disk", "clock", "open files"):
        assert check in told
    assert "✗" not in told


def test_doctor_says_how_to_mend(csms: Shell) -> None:
    """A port that is taken and a setting that cannot be."""
    config = (csms.folder / "config.yaml").read_text()
    port = int(re.findall(r"port: (\d+)", config)[0])
    with socket.create_server(("0.0.0.0", port)):
        told = csms("doctor", code=1)
    assert "✗" in told
    assert "set gateway.port" in told

    (csms.folder / "config.yaml").write_text("gateway:\n  prot: 1\n")
    assert "gateway.prot: there is no such setting" in csms("doctor", code=1)


def test_doctor_sees_tables_of_another_release(csms: Shell) -> None:
    """And names the command that mends it."""
    csms("migrate")
    with sqlite3.connect(csms.database) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.close()

    assert "run: csms migrate" in csms("doctor", code=1)


def test_serve_ends_with_a_clear_line_when_a_port_is_taken(csms: Shell) -> None:
    """Not with a traceback."""
    config = (csms.folder / "config.yaml").read_text()
    port = int(re.findall(r"port: (\d+)", config)[1])
    with socket.create_server(("127.0.0.1", port)):
        told = csms("serve", code=1)

    assert "http.port" in told
    assert "cannot be used" in told
    assert "Traceback" not in told


def test_replay_plays_a_transcript(csms: Shell) -> None:
    """A recording that fits ends with 0, one that does not with 1."""
    shipped = Path(__file__).parent / "transcripts" / "plain" / "v16.txt"
    assert "as recorded" in csms("replay", str(shipped))

    wrong = csms.folder / "wrong.txt"
    wrong.write_text('station [2,"1","Heartbeat",{}]\ncsms [3,"1",{}]\n')
    assert "line 2: expected" in csms("replay", str(wrong), code=1)
    assert "none.txt" in csms("replay", "none.txt", code=1)


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
