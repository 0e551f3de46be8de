"""Tables of tariffs and of what sessions cost. Knows names and types; no statement and no rule.

Rows are added and never changed: a tariff goes on in a new version, a cost in a new revision. Money is
decimal text. Conventions as in `tables`.
"""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint

from csms.store.columns import WHOLE, id_column, key, maybe, table, whole, words

tariffs = table(
    "tariffs",
    id_column("tariff_id"),
    whole("operator_id", ForeignKey("operators.operator_id")),
    words("code"),
    words("name"),
    whole("created_at"),
    UniqueConstraint("operator_id", "code"),
)

tariff_versions = table(
    "tariff_versions",
    id_column("version_id"),
    whole("tariff_id", ForeignKey("tariffs.tariff_id")),
    whole("number"),
    whole("valid_from"),
    maybe("valid_until"),
    words("body"),  # JSON of the domain's Tariff
    whole("created_at"),
    UniqueConstraint("tariff_id", "number"),
)

# To an operator, or to one of its sites, or to a connector of one of its stations.
tariff_assignments = table(
    "tariff_assignments",
    id_column("assignment_id"),
    whole("tariff_id", ForeignKey("tariffs.tariff_id")),
    whole("operator_id", ForeignKey("operators.operator_id")),
    maybe("site_id", WHOLE, ForeignKey("sites.site_id")),
    maybe("station_id", WHOLE, ForeignKey("charging_stations.station_id")),
    maybe("evse"),
    maybe("connector"),
    whole("valid_from"),
    whole("created_at"),
    Index("ix_tariff_assignments_tariff", "tariff_id", "assignment_id"),
)

# What was made of a session each time that something told of it or its money changed; the revision is that
# of the charge order. The highest is current.
session_costs = table(
    "session_costs",
    key("session_id"),
    key("revision"),
    whole("at"),
    whole("session_revision"),
    words("digest"),  # of the charge order without its revision
    maybe("version_id"),  # of the tariff; no money without
    maybe("energy_wh"),
    maybe("currency", Text),
    maybe("elec_money", Text),
    maybe("service_money", Text),
    maybe("idle_minutes"),
    maybe("idle_money", Text),
    maybe("parking_minutes"),
    maybe("parking_money", Text),
    maybe("total", Text),
    words("lines"),  # JSON
    rowid=False,
)
