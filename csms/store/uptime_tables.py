"""Tables of availability: connectors' time by state, how far it is computed, exclusions, peaks of sites.

Knows names and types; no statement and no rule. Conventions as in `tables`; lengths of time are microseconds.
"""

from sqlalchemy import ForeignKey, Index, Text

from csms.store.columns import id_column, key, maybe, table, whole, words

# Days and months of connectors. Ordered by time, because a city asks for all of them at once.
use_periods = table(
    "use_periods",
    key("period", Text),  # day, month
    key("start"),
    key("station_id"),
    key("evse"),
    key("connector"),
    whole("until"),
    whole("charging_us"),
    whole("occupied_us"),
    whole("free_us"),
    whole("reserved_us"),
    whole("offline_us"),
    whole("fault_us"),
    whole("unknown_us"),
    maybe("capacity_wh"),  # rated power x time in service; NULL where the rated power is unknown
    whole("equipment_us"),  # the station's time in service, at one of its connectors; 0 at the others
    whole("records"),  # statuses as platforms are sent them
    whole("fault_records"),
    whole("computed_at"),
    Index("ix_use_periods_station", "station_id", "period", "start"),
    rowid=False,
)

# The same of whole sites, so that a city's year is read from thousands of rows and not from millions.
site_use_periods = table(
    "site_use_periods",
    key("period", Text),  # day, month
    key("start"),
    key("site_id"),
    whole("until"),
    whole("charging_us"),
    whole("occupied_us"),
    whole("free_us"),
    whole("reserved_us"),
    whole("offline_us"),
    whole("fault_us"),
    whole("unknown_us"),
    maybe("capacity_wh"),
    whole("equipment_us"),
    whole("records"),
    whole("fault_records"),
    whole("computed_at"),
    rowid=False,
)

# Every day of a station that ended by `done_until` is computed. Late data sets it back.
use_progress = table(
    "use_progress", key("station_id"), whole("done_until"), Index("ix_use_progress_done", "done_until")
)

# Up to which row of its evidence each table was looked at for late data.
use_marks = table("use_marks", key("source", Text), whole("seen_id"), rowid=False)

uptime_exclusions = table(
    "uptime_exclusions",
    id_column("exclusion_id"),
    whole("station_id", ForeignKey("charging_stations.station_id")),
    whole("evse"),  # 0: all of the station
    whole("starts_at"),
    whole("ends_at"),
    words("reason"),
    words("note"),
    words("actor"),
    whole("modified_at"),
    Index("ix_uptime_exclusions_station", "station_id", "starts_at"),
)

# Hours of sites whose energy changed since their peak was computed.
peak_due = table("peak_due", key("site_id"), key("hour"), whole("version"))

site_peaks = table(
    "site_peaks",
    key("period", Text),  # hour, day, month
    key("start"),
    key("site_id"),
    whole("peak_w"),
    whole("is_measured"),  # 0: of energy, at least in part
    whole("computed_at"),
    Index("ix_site_peaks_site", "site_id", "period", "start"),
    rowid=False,
)
