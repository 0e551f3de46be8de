"""Every message of every bundled profile, byte for byte, as it was read against the reference by hand."""

from pathlib import Path

import pytest

from csms.reporting.tcec.messages import RECORDS, message, read
from csms.reporting.tcec.profile import bundled, load_profile
from tests.reporting.tcec.samples import SAMPLES

GOLDEN = [
    line.split("|", 3)
    for line in (Path(__file__).parent / "golden" / "messages.txt").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("name", "kind", "path", "text"), GOLDEN, ids=[f"{a}-{b}" for a, b, *_ in GOLDEN])
def test_a_message_of_a_profile(name: str, kind: str, path: str, text: str) -> None:
    """Path, spelling, order of fields, decimals, codes."""
    worded = message(read(kind, SAMPLES[kind]), load_profile(name))

    assert (worded.path, worded.text) == (path, text)


def test_no_message_is_left_out() -> None:
    """A profile that gets another push gets another line."""
    every = {(name, kind) for name in bundled() for kind in load_profile(name).sent()}

    assert every == {(name, kind) for name, kind, *_ in GOLDEN}
    assert {kind for _, kind in every} == set(RECORDS)


@pytest.mark.parametrize("name", bundled())
def test_personal_data_stays_here(name: str) -> None:
    """No bundled profile asks for it, so no message has it, whatever the record knows."""
    profile = load_profile(name)
    for kind in profile.sent():
        text = message(read(kind, SAMPLES[kind]), profile).text
        assert not any(secret in text for secret in ("13800000000", "京A00001", "LSVAA4182E2000001", "王"))


def test_personal_data_where_the_profile_asks_for_it(tmp_path: Path) -> None:
    """And only what it asks for."""
    (tmp_path / "p.yaml").write_text("extends: zhejiang\nname: p\nprivacy: {phone: true, vin: true}\n")

    text = message(read("charge-order", SAMPLES["charge-order"]), load_profile(tmp_path / "p.yaml")).text

    assert '"Phone":"13800000000"' in text
    assert '"VIN":"LSVAA4182E2000001"' in text
    assert "京A00001" not in text
