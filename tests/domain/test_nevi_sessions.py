"""What the federal rule asks of a session, in words OCPP does not have."""

from csms.domain.nevi_sessions import error_codes, is_successful, payment_method


def test_success_and_its_opposite() -> None:
    """Energy was delivered and nothing broke it off."""
    assert is_successful(1, "local")
    assert not is_successful(0, "local")
    assert not is_successful(None, "ev-disconnected")
    assert not is_successful(5000, "power-loss")


def test_error_codes_are_told_once() -> None:
    """What the port told, then what broke the session off; no error is none."""
    told = ["NoError", "GroundFailure", "", "GroundFailure", "noerror"]
    assert error_codes("power-loss", told) == ("GroundFailure", "power-loss")
    assert error_codes("local", []) == ()


def test_payment_is_read_off_the_token() -> None:
    """Without case; unknown words as they are."""
    assert payment_method("ISO14443") == "rfid"
    assert payment_method("eMAID") == "plug-and-charge"
    assert payment_method("DirectPayment") == "card"
    assert payment_method("Something") == "Something"
    assert payment_method("") == "unknown"
