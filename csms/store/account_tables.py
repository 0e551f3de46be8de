"""Tables of people and of their signed-in browsers. Knows names and types; no statement and no rule.

Conventions as in `tables`.
"""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text

from csms.store.columns import WHOLE, id_column, maybe, table, whole, words

users = table(
    "users",
    id_column("user_id"),
    words("folded", unique=True),  # name.casefold()
    words("name"),
    words("password_hash"),  # argon2, with its parameters and salt
    words("role"),
    maybe("operator_id", WHOLE, ForeignKey("operators.operator_id")),
    maybe("sites", Text),  # JSON: codes of the only sites; NULL is all of the operator's
    words("language", default=""),
    words("time_zone", default=""),
    whole("enabled", default=1),
    whole("must_change", default=0),
    maybe("code_secret", Text),  # of one-time codes; NULL: none are asked for
    whole("code_step", default=0),  # the last one that was used
    words("recovery", default="[]"),  # JSON: hashes of unused recovery codes
    whole("created_at"),
    maybe("signed_in_at"),
)

visits = table(
    "visits",
    Column("token_hash", LargeBinary, primary_key=True, nullable=False),
    whole("user_id", ForeignKey("users.user_id")),
    words("csrf"),
    whole("began_at"),
    whole("seen_at"),
    words("address"),
    Index("ix_visits_user", "user_id"),
    Index("ix_visits_seen", "seen_at"),
    rowid=False,
)
