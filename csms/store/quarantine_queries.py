"""What becomes of unknown stations that were at the door. The registry puts them here and lists them."""

from sqlalchemy import bindparam, delete, select

from csms.store.database import Database
from csms.store.tables import quarantine

DISMISS = delete(quarantine).where(quarantine.c.identity == bindparam("who"))
HOLDS = select(quarantine.c.identity).where(quarantine.c.identity == bindparam("who"))


class Quarantine:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(self, identity: str) -> bool:
        """Whether an unknown station of this identity was here."""
        return bool(await self._database.read(HOLDS, {"who": identity}))

    async def dismiss(self, identity: str) -> bool:
        """Forget that an unknown station was here. False: it was not."""
        return await self._database.execute(DISMISS, {"who": identity}) == 1
