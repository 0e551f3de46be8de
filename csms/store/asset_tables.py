"""Tables of what cities ask about operators, sites, equipment and connectors, and of where each was when.

Knows names and types; no statement and no rule. Conventions as in `tables`. `attributes` is the JSON text of
every field that no query selects by: another field a city asks for needs no revision.
"""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint

from csms.store.columns import WHOLE, id_column, key, maybe, table, whole, words

operator_assets = table(
    "operator_assets",
    key("operator_id"),
    words("attributes"),
    whole("modified_at"),
    rowid=False,
)

site_assets = table(
    "site_assets",
    key("site_id"),
    whole("operator_id", ForeignKey("operators.operator_id")),
    maybe("city_id", Text),  # NULL: the one made of its code
    words("attributes"),
    maybe("modified_at"),  # NULL: nobody entered anything yet
    whole("changed_at"),  # of the site, its equipment or its connectors, whichever is latest
    UniqueConstraint("operator_id", "city_id"),
    Index("ix_site_assets_changed", "operator_id", "changed_at"),
    rowid=False,
)

equipment = table(
    "equipment",
    id_column("equipment_no"),
    whole("operator_id", ForeignKey("operators.operator_id")),
    words("equipment_id"),
    whole("site_id", ForeignKey("sites.site_id")),
    maybe("station_id", WHOLE, ForeignKey("charging_stations.station_id")),
    words("charger_class"),  # empty: unknown
    words("attributes"),
    whole("modified_at"),
    UniqueConstraint("operator_id", "equipment_id"),
    Index("ix_equipment_site", "site_id", "equipment_no"),
    Index("ix_equipment_station", "station_id"),
)

equipment_connectors = table(
    "equipment_connectors",
    id_column("connector_no"),
    whole("equipment_no", ForeignKey("equipment.equipment_no")),
    whole("operator_id", ForeignKey("operators.operator_id")),
    words("connector_id"),
    maybe("station_id", WHOLE, ForeignKey("charging_stations.station_id")),
    maybe("evse"),
    maybe("connector"),
    words("attributes"),
    whole("modified_at"),
    UniqueConstraint("operator_id", "connector_id"),
    Index("uq_equipment_connectors_address", "station_id", "evse", "connector", unique=True),
    Index("ix_equipment_connectors_equipment", "equipment_no"),
)

asset_spells = table(
    "asset_spells",
    key("level", Text),  # operators, sites, equipment, connectors
    key("subject_id"),  # operator_id, site_id, equipment_no, connector_no
    key("since"),
    maybe("until"),
    whole("operator_id"),
    maybe("site_id"),  # of equipment
    words("charger_class"),  # of equipment; empty: unknown
    rowid=False,
)
