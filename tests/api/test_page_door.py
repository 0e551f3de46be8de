"""What pages ask about people, answered without a request."""

from typing import Any

from csms.api.page_door import PageDoor
from csms.store.tables import audit_log
from tests.api.test_entry import PASSWORD, person


async def test_in_and_out(desk: Any) -> None:
    """A cookie for who may enter; why not for who may not."""
    await person(desk)
    door = PageDoor(desk.parts)

    refused = await door.enter("li", "wrong", "", "192.0.2.1")
    cookie, _ = await door.enter("li", PASSWORD, "", "192.0.2.1")
    visitor = await door.visitor(cookie)
    await door.leave(cookie)

    assert refused == (None, "wrong")
    assert visitor is not None
    assert (visitor.name, visitor.operator, visitor.must_change) == ("li", None, False)
    assert await door.visitor(cookie) is None
    assert await door.visitor(None) is None


async def test_what_nobody_can_be_called(desk: Any) -> None:
    """It is wrong, and leaves nothing in memory or in the audit log."""
    door = PageDoor(desk.parts)

    for name in ("x" * 1_000_000, "li\0", "li\n", ""):
        assert await door.enter(name, PASSWORD, "", "192.0.2.1") == (None, "wrong")
    await door.enter("ŉ" * 200, PASSWORD, "", "192.0.2.1")

    (row,) = await desk.rows(audit_log)
    assert (len(row["actor"]), len(row["subject"])) == (205, 200)


async def test_too_many(desk: Any) -> None:
    """Guessing is slowed down here too, at the old password as well."""
    await person(desk)
    door = PageDoor(desk.parts)
    cookie, _ = await door.enter("li", PASSWORD, "", "192.0.2.1")

    for _ in range(5):
        assert await door.change_password(cookie, "wrong", "staple correct horse", "192.0.2.1") == "wrong"
    assert await door.change_password(cookie, PASSWORD, "staple correct horse", "192.0.2.1") == "too_many"
    assert (await door.enter("li", PASSWORD, "", "192.0.2.1"))[1] == "too_many"


async def test_another_password(desk: Any) -> None:
    """A good one, by who is inside."""
    await person(desk)
    door = PageDoor(desk.parts)
    cookie, _ = await door.enter("li", PASSWORD, "", "192.0.2.1")

    assert await door.change_password(cookie, PASSWORD, "short", "192.0.2.1") == "weak"
    assert await door.change_password(cookie, PASSWORD, PASSWORD, "192.0.2.1") == "weak"
    assert await door.change_password("nobody", PASSWORD, "staple correct horse", "192.0.2.1") == "wrong"
    assert await door.change_password(cookie, PASSWORD, "staple correct horse", "192.0.2.1") == ""
    assert (await door.enter("li", "staple correct horse", "", "192.0.2.1"))[0] is not None
