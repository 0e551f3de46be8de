"""The pages of the console, one file each; this table is what the console has."""

from csms.console.pages import (
    audit,
    batches,
    city,
    overview,
    quarantine,
    queues,
    reports,
    session,
    sessions,
    settings,
    site_map,
    station,
    stations,
    tariffs,
    tokens,
)
from csms.console.shell import Page

PAGES = (
    Page("/", "page_overview", overview.build, "operation", for_everyone=True),
    Page("/map", "page_map", site_map.build, "operation"),
    Page("/stations", "page_stations", stations.build, "operation"),
    Page("/stations/{identity}", "station", station.build, parent="/stations"),
    Page("/batches", "page_batches", batches.build_list, parent="/stations"),
    Page("/batches/{batch_id}", "batch", batches.build, parent="/stations"),
    Page("/sessions", "page_sessions", sessions.build, "operation"),
    Page("/sessions/{session_id}", "session", session.build, parent="/sessions"),
    Page("/queues", "page_queues", queues.build, "operation"),
    Page("/tokens", "page_tokens", tokens.build, "customers"),
    Page("/tariffs", "page_tariffs", tariffs.build_list, "customers"),
    Page("/tariffs/{tariff}", "tariff", tariffs.build, parent="/tariffs"),
    Page("/city", "page_city", city.build_list, "authorities"),
    Page("/city/{name}", "platform", city.build, parent="/city"),
    Page("/reports", "page_reports", reports.build, "authorities"),
    Page("/quarantine", "page_quarantine", quarantine.build, "administration"),
    Page("/audit", "page_audit", audit.build, "administration"),
    Page("/settings", "page_settings", settings.build, "administration"),
)
