"""What the tables hold of people: no password and no cookie, only their hashes."""

from csms.store.account_tables import users, visits


def test_nothing_that_opens_a_door_is_stored() -> None:
    """Columns that hold secrets are hashes, but for the shared secret that one-time codes need."""
    assert "password_hash" in users.c
    assert "token_hash" in visits.c
    assert not {"password", "cookie", "token"} & {*users.c.keys(), *visits.c.keys()}
