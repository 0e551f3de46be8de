"""What the gateway asks of the floors below."""

from csms.gateway.desk import Budget, Exchange, Refused
from csms.store.message_log import MessageRow
from tests.gateway.kit import NOW


def test_the_budget_is_over_above_its_limit() -> None:
    """At the limit there is still room."""
    budget = Budget(10)

    budget.used += 10
    assert not budget.is_over
    budget.used += 1
    assert budget.is_over


def test_a_refusal_has_the_versions_code() -> None:
    """And says why."""
    refused = Refused("FormatViolation", "x is missing")

    assert (refused.code, refused.description) == ("FormatViolation", "x is missing")
    assert "x is missing" in str(refused)


def test_an_exchange_is_what_the_message_log_keeps() -> None:
    """Field by field."""
    exchange = Exchange(1, NOW, "in", "a", "Heartbeat", b"{}", b"{}", "answered", 5)

    assert exchange._fields == MessageRow._fields
