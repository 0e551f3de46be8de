"""What kill -9 cannot show and power loss would: the system calls of a running server, in their order.

Between reading a transaction message and handing its answer to the socket, the server wrote the database's
log and brought it to the disk. `strace` watches; this file knows how it writes its lines.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.campaign.conftest import Serve
from tests.campaign.kit import PASSWORD, VERSIONS, boot, dial, missing, session_told, start, tell
from tests.serverkit import CSMS, Child, CsmsServer

READS, WRITES = {"read", "recvfrom", "recvmsg"}, {"write", "writev", "sendto", "sendmsg"}
SYNCS = {"fdatasync", "fsync"}
WATCHED = ",".join([*READS, *WRITES, *SYNCS, "pwrite64"])
# -D: the server stays our child. -y: paths beside file numbers. --seccomp-bpf: nothing else is slowed down.
STRACE = ["strace", "-D", "-f", "-y", "-s", "256", "--seccomp-bpf", "-e", f"trace={WATCHED}"]

BEGUN = re.compile(r"(\d+) +(\w+)\((\d+)<([^>]*)>(.*)")
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>.* = 0$")
ANSWER = re.compile(r'\[3,\\"([^\\"]+)\\"')

HEARTBEATS = 20

Event = tuple[str, str]
"""(`read`, socket), (`log`, ""), (`sync`, ""), or (`answer` and its message id, socket)."""


async def test_the_disk_has_it_before_the_station_hears(serve: Serve, tmp_path: Path) -> None:
    """Twelve transaction messages of three versions: each read, written, synced and then answered."""
    csms, trace = serve({"messages": {"log": False}}), tmp_path / "trace"
    watch(csms, trace)
    await start(csms)
    await csms.add_stations(VERSIONS, PASSWORD)
    told: list[str] = []
    for version in VERSIONS:
        async with dial(csms, version, version) as peer:
            await boot(peer, version)
            answers = await tell(peer, session_told(version), prefix=f"{version}-")
        told += [f"{version}-{number}" for number in range(len(answers))]
    async with dial(csms, VERSIONS[0], VERSIONS[0]) as peer:
        for number in range(HEARTBEATS):
            await peer.call("Heartbeat", {}, f"beat-{number}")
    assert await csms.stop() == 0

    happened = list(events(trace))
    for message_id in told:
        done = between(happened, message_id)
        assert "log" in done, message_id
        assert "sync" in done[done.index("log") :], message_id
    assert len(told) == 12
    # Not because the disk is synced all the time: what changes nothing is answered from memory.
    assert not all("sync" in between(happened, f"beat-{number}") for number in range(HEARTBEATS))


def watch(csms: CsmsServer, trace: Path) -> None:
    """Have the server started under strace."""
    if shutil.which("strace") is None:
        missing("there is no strace (apt-get install strace)")
    probe = subprocess.run([*STRACE, "-o", str(trace), "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        missing(f"strace may not watch here: {probe.stderr.strip()}")
    command = [*STRACE, "-o", str(trace), *CSMS, "serve", "--config", str(csms.config_file)]
    csms.child = Child("csms", command, csms.directory)


def between(happened: list[Event], message_id: str) -> list[str]:
    """What was done between the last reading of a message's socket and the answer to it."""
    (at,) = (n for n, (what, _) in enumerate(happened) if what == f"answer {message_id}")
    socket = happened[at][1]
    read = max(n for n in range(at) if happened[n] == ("read", socket))
    return [what for what, _ in happened[read:at]]


def events(trace: Path) -> Iterator[Event]:
    """Reads and answers when they begin, syncs of the database's log when they are complete."""
    syncing = set()
    for line in trace.read_text(errors="replace").splitlines():
        if resumed := RESUMED.match(line):
            thread, call = resumed.groups()
            if call in SYNCS and thread in syncing:
                syncing.discard(thread)
                yield "sync", ""
            continue
        if not (begun := BEGUN.match(line)):
            continue
        thread, call, number, path, rest = begun.groups()
        if call in READS:
            yield "read", number
        elif call in WRITES and (answer := ANSWER.search(rest)):
            yield f"answer {answer[1]}", number
        elif call == "pwrite64" and path.endswith("-wal"):
            yield "log", ""
        elif call in SYNCS and path.endswith("-wal"):
            if rest.endswith("= 0"):
                yield "sync", ""
            else:
                syncing.add(thread)
