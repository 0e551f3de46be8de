"""The first person of a new system. Without one nobody could sign in to add others."""

from datetime import UTC, datetime

from csms.api.passwords import hash_of, one_time
from csms.domain.scope import WHOLE
from csms.errors import Conflict
from csms.store.command_queries import CommandDesk
from csms.store.database import Database
from csms.store.records import AuditRow
from csms.store.users import UserForm, UserStore

NAME = "admin"


async def first_administrator(database: Database) -> str | None:
    """The one-time password of `admin`, made while there is nobody; None later on and for other nodes."""
    users = UserStore(database)
    if await users.exist():
        return None
    password = one_time()
    try:
        await users.add(UserForm(NAME, "admin", WHOLE), await hash_of(password), True, datetime.now(UTC))
    except Conflict:
        return None  # another node was faster
    row = AuditRow.of(datetime.now(UTC), "first start", "user-added", NAME, {"role": "admin"})
    await CommandDesk(database).audit(row)
    return password
