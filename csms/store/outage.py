"""Tells a database that is away, full or locked from a statement that is wrong. Knows both drivers' words.

An outage says nothing of the rows: they are tried again. Anything else is the fault of what was written.
"""

from sqlalchemy import exc as sa

# Primary result codes of SQLite: BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL,
# NOTADB.
SQLITE_OUTAGES = frozenset({5, 6, 7, 8, 10, 11, 13, 14, 15, 26})

SQLITE_DUPLICATES = frozenset({1555, 2067, 2579})  # CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID

# SQLSTATE classes of PostgreSQL: connection, authorization, no such database, rollback (deadlock), resources,
# not in the right state (lock timeout), operator intervention (shutdown, statement timeout), system error.
POSTGRES_OUTAGES = ("08", "28", "3D", "40", "53", "55", "57", "58")
POSTGRES_READ_ONLY = "25006"
POSTGRES_DUPLICATE = "23505"


def is_outage(error: BaseException) -> bool:
    """Whether the same statement may well succeed later."""
    if isinstance(error, (OSError, sa.TimeoutError)):
        return True
    if not isinstance(error, sa.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in SQLITE_OUTAGES
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state:
        return state.startswith(POSTGRES_OUTAGES) or state == POSTGRES_READ_ONLY
    # asyncpg's own errors (a connection closed under us) carry no state.
    return isinstance(error, (sa.InterfaceError, sa.OperationalError))


def said(error: BaseException) -> str:
    """The error in one line; its name where it has no words, as a timeout of the driver has none."""
    told: BaseException = getattr(error, "orig", None) or error
    return next(iter(str(told).splitlines()), "") or type(told).__name__


def is_duplicate(error: BaseException) -> bool:
    """Whether a UNIQUE or PRIMARY KEY constraint refused the row."""
    if not isinstance(error, sa.IntegrityError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code in SQLITE_DUPLICATES or getattr(error.orig, "sqlstate", None) == POSTGRES_DUPLICATE
