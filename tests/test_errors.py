"""The error tree speaks in sentences."""

from csms.errors import CsmsError, StationNotConnected, StoreUnavailable


def test_the_docstring_is_the_message() -> None:
    """Ids and details follow it."""
    assert str(StationNotConnected("CS-1")) == "No node holds this charging station: CS-1"
    assert str(StoreUnavailable()) == "The database does not take writes; nothing was stored."
    assert isinstance(StoreUnavailable(), CsmsError)
