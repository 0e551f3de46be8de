"""Node packages by others, installed under build/node from the lock file beside this module.

Where node or npm is missing, `require_node` skips a test here and fails it under CI.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build"
NODE = BUILD / "node"
INSTALL_WITHIN_S = 300


class NodeMissing(Exception):
    """node or npm is not installed."""


def node_environment() -> dict[str, str]:
    """Install the packages unless done, and return the environment in which `require` finds them.

    Raises NodeMissing, or CalledProcessError when npm fails.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise NodeMissing("node or npm is not installed")
    BUILD.mkdir(exist_ok=True)
    # Several test processes may come here at once; the first installs.
    with (BUILD / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_once()
    return {"NODE_PATH": str(NODE / "node_modules")}


def require_node() -> dict[str, str]:
    """`node_environment`, or a skipped test where there is no node; under CI a failed one."""
    try:
        return node_environment()
    except NodeMissing as exc:
        if os.environ.get("CI"):
            pytest.fail(f"{exc}: CI has to run the independent clients")
        pytest.skip(f"{exc}: the independent clients in JavaScript were not run")


def _install_once() -> None:
    files = [HERE / "package.json", HERE / "package-lock.json"]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = NODE / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    NODE.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, NODE)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=NODE, check=True, capture_output=True, timeout=INSTALL_WITHIN_S)
    stamp.write_text(wanted)
