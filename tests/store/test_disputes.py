"""Orders a platform has, and what cannot be read of its answers."""

from csms.store.disputes import _own_name


def test_the_name_in_an_answer() -> None:
    """27 characters, or none at all."""
    assert _own_name('{"StartChargeSeq":"' + "1" * 27 + '"}') == "1" * 27
    assert _own_name('{"StartChargeSeq":"1"}') is None
    assert _own_name('{"Ret":0}') is None
    assert _own_name('"text"') is None
    assert _own_name(None) is None
