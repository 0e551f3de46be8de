"""Who may do what: the rule of every operation, in the words of people.

It is written down here by itself, not read from the routes, so that a route that asks too little shows.
The first word is the least role: `anybody`, a signed-in `person` (of whatever role), `platform` (a key for
a city's totals, and everybody else), `viewer`, `operator`, `admin`. The second is how far somebody must see:
`site`, also whoever is limited to some sites; `operator`, who sees a whole operator; `network`, who sees all.
"""

from typing import NamedTuple

BASE = "/api/v1"
TABLE = """
    viewer   site     GET    /charging-stations
    admin    operator POST   /charging-stations
    viewer   site     GET    /charging-stations/counts
    viewer   site     GET    /charging-stations/{identity}
    admin    operator PATCH  /charging-stations/{identity}
    admin    operator DELETE /charging-stations/{identity}
    admin    site     POST   /charging-stations/{identity}/approve
    admin    site     POST   /charging-stations/{identity}/reject
    viewer   site     GET    /charging-stations/{identity}/messages
    viewer   site     GET    /charging-stations/{identity}/events
    viewer   site     GET    /charging-stations/{identity}/variables
    viewer   site     GET    /sessions
    viewer   site     GET    /sessions/totals
    admin    operator POST   /charging-stations/{identity}/enable
    admin    operator POST   /charging-stations/{identity}/disable
    admin    operator POST   /charging-stations/{identity}/credentials
    admin    operator POST   /charging-stations/{identity}/credentials/rotate
    viewer   site     GET    /sessions/{session_id}
    viewer   site     GET    /sessions/{session_id}/readings
    viewer   site     GET    /sessions/{session_id}/timeline
    viewer   site     GET    /sessions/{session_id}/evidence
    viewer   site     GET    /sessions/{session_id}/revisions
    viewer   site     GET    /sessions/{session_id}/told
    viewer   site     GET    /sessions/{session_id}/commands
    viewer   site     GET    /sessions/{session_id}/quality
    viewer   site     GET    /sessions/{session_id}/cost
    admin    site     POST   /sessions/{session_id}/reprice
    viewer   site     GET    /sessions/{session_id}/curve
    viewer   site     GET    /charging-stations/{identity}/curve
    operator site     POST   /sessions/{session_id}/close
    viewer   site     GET    /orphan-stops
    operator site     POST   /orphan-stops/{session_id}/attach
    operator site     POST   /orphan-stops/{session_id}/dismiss
    viewer   operator GET    /messages
    operator site     POST   /charging-stations/{identity}/commands
    operator site     POST   /commands/{command_id}/cancel
    viewer   site     GET    /charging-stations/{identity}/command-forms
    viewer   site     GET    /commands/{command_id}
    viewer   operator GET    /command-batches
    operator operator POST   /command-batches
    viewer   operator GET    /command-batches/{batch_id}
    viewer   operator GET    /command-batches/{batch_id}/items
    operator operator POST   /command-batches/{batch_id}/retry-failed
    operator operator POST   /command-batches/{batch_id}/cancel
    admin    site     POST   /charging-stations/{identity}/calls/{action}
    platform site     GET    /totals
    viewer   operator GET    /reports/yearbook
    platform operator GET    /outbox
    viewer   operator GET    /reports/totals
    viewer   site     GET    /exports/sessions
    platform site     GET    /exports/totals
    viewer   site     GET    /exports/orders
    admin    network  GET    /exports/audit
    viewer   operator GET    /reports/statement
    viewer   site     GET    /sessions/{session_id}/receipt
    viewer   operator GET    /schedules
    admin    operator POST   /schedules
    admin    operator POST   /schedules/{schedule}/run
    viewer   operator GET    /schedules/{schedule}/deliveries
    viewer   operator GET    /schedules/{schedule}
    admin    operator PUT    /schedules/{schedule}
    admin    operator DELETE /schedules/{schedule}
    platform operator GET    /platforms
    platform operator GET    /platforms/{name}
    operator operator POST   /platforms/{name}/pause
    operator operator POST   /platforms/{name}/resume
    operator operator POST   /platforms/{name}/outbox/{row}/resend
    platform operator GET    /platforms/{name}/disputes
    operator operator POST   /platforms/{name}/disputes/{dispute}/resolve
    platform operator GET    /platform/totals
    viewer   site     GET    /reports/uptime
    viewer   site     GET    /reports/nevi-sessions
    viewer   site     GET    /reports/nevi-outages
    viewer   site     GET    /reports/exclusions
    operator site     POST   /reports/exclusions
    viewer   site     GET    /reports/exclusions/{number}
    operator site     PUT    /reports/exclusions/{number}
    operator site     DELETE /reports/exclusions/{number}
    viewer   site     GET    /operators
    admin    operator POST   /operators
    viewer   site     GET    /operators/{operator}
    admin    operator PATCH  /operators/{operator}
    admin    network  DELETE /operators/{operator}
    viewer   site     GET    /sites
    admin    operator POST   /sites
    viewer   site     GET    /operators/{operator}/sites/{site}
    admin    operator PATCH  /operators/{operator}/sites/{site}
    admin    operator DELETE /operators/{operator}/sites/{site}
    admin    operator POST   /assets/import
    viewer   operator GET    /assets/export
    viewer   operator GET    /assets/template
    viewer   operator GET    /assets/missing
    viewer   operator GET    /assets/connector-names
    viewer   operator GET    /assets/connector-places
    viewer   operator GET    /assets/operators
    viewer   operator GET    /assets/operators/{operator}
    admin    operator PUT    /assets/operators/{operator}
    viewer   operator GET    /assets/operators/{operator}/history
    admin    operator PUT    /assets/operators/{operator}/history
    viewer   operator GET    /assets/sites
    viewer   operator GET    /assets/sites/{operator}/{name}
    admin    operator PUT    /assets/sites/{operator}/{name}
    viewer   operator GET    /assets/sites/{operator}/{name}/history
    admin    operator PUT    /assets/sites/{operator}/{name}/history
    viewer   operator GET    /assets/equipment
    viewer   operator GET    /assets/equipment/{operator}/{name}
    admin    operator PUT    /assets/equipment/{operator}/{name}
    viewer   operator GET    /assets/equipment/{operator}/{name}/history
    admin    operator PUT    /assets/equipment/{operator}/{name}/history
    viewer   operator GET    /assets/connectors
    viewer   operator GET    /assets/connectors/{operator}/{name}
    admin    operator PUT    /assets/connectors/{operator}/{name}
    viewer   operator GET    /assets/connectors/{operator}/{name}/history
    admin    operator PUT    /assets/connectors/{operator}/{name}/history
    viewer   operator GET    /tariffs
    admin    operator POST   /tariffs
    viewer   operator GET    /tariffs/{tariff}
    admin    operator PUT    /tariffs/{tariff}
    admin    operator POST   /tariffs/{tariff}/assignments
    viewer   site     GET    /sites/{site}/tariff
    viewer   site     GET    /charging-stations/{identity}/tariff
    viewer   operator GET    /id-tokens
    admin    operator POST   /id-tokens
    viewer   operator GET    /id-tokens/{token}
    admin    operator PATCH  /id-tokens/{token}
    admin    operator DELETE /id-tokens/{token}
    operator operator POST   /id-tokens/{token}/block
    operator operator POST   /id-tokens/{token}/unblock
    viewer   operator GET    /id-tokens/{token}/decision
    admin    network  GET    /quarantine
    admin    network  POST   /quarantine/{identity}/approve
    admin    network  POST   /quarantine/{identity}/deny
    admin    network  POST   /quarantine/{identity}/link
    person   site     POST   /sign-out
    person   site     POST   /me/sign-out-everywhere
    platform site     GET    /me
    person   site     POST   /me/password
    person   site     PUT    /me/preferences
    person   site     POST   /me/one-time-codes/offer
    person   site     PUT    /me/one-time-codes
    admin    operator GET    /users
    admin    operator POST   /users
    admin    operator PUT    /users/{name}
    admin    operator POST   /users/{name}/password
    admin    operator DELETE /users/{name}/one-time-codes
    admin    operator GET    /api-keys
    admin    operator POST   /api-keys
    admin    operator DELETE /api-keys/{key_id}
    admin    network  GET    /audit
    viewer   site     GET    /changes
    viewer   site     GET    /live
    operator operator GET    /webhooks
    admin    operator POST   /webhooks
    operator operator GET    /webhooks/{webhook}
    admin    operator PUT    /webhooks/{webhook}
    admin    operator DELETE /webhooks/{webhook}
    admin    operator POST   /webhooks/{webhook}/secret
    admin    operator POST   /webhooks/{webhook}/replay
    operator operator POST   /webhooks/{webhook}/resume
    operator operator POST   /webhooks/{webhook}/test
    operator operator GET    /webhooks/{webhook}/deliveries
    viewer   site     GET    /alarms
    viewer   site     GET    /alarms/{alarm}
    operator site     POST   /alarms/{alarm}/acknowledge
    viewer   site     GET    /work-queues
    viewer   site     GET    /work-queues/{queue}
    operator site     POST   /work-queues/{queue}/{session}/dismiss
    anybody  site     POST   /sign-in
    anybody  site     GET    /healthz
    anybody  site     GET    /readyz
    anybody  site     GET    /metrics
"""
ROLES = {
    "platform": ("admin", "operator", "viewer", "platform"),
    "viewer": ("admin", "operator", "viewer"),
    "operator": ("admin", "operator"),
    "admin": ("admin",),
}


class Rule(NamedTuple):
    """Who may call an operation."""

    who: str
    reach: str

    def allows_role(self, role: str) -> bool:
        """Whether this role is enough for somebody who sees everything."""
        return role in ROLES.get(self.who, ())

    def allows(self, role: str, scope: tuple[str, ...]) -> bool:
        """Whether somebody of this role may who is limited to this operator and these sites."""
        if self.reach == "network" and scope:
            return False
        return self.allows_role(role) and (self.reach == "site" or len(scope) < 2)


def _rules() -> dict[tuple[str, str], Rule]:
    found = {}
    for line in TABLE.strip().splitlines():
        who, reach, method, path = line.split()
        found[method.lower(), path if path in OPEN else BASE + path] = Rule(who, reach)
    return found


OPEN = ("/healthz", "/readyz", "/metrics")
RULES = _rules()
