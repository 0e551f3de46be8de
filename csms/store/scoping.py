"""What somebody may see, as conditions of a query and as columns of their row: said in SQL here alone."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from csms.domain.scope import Scope
from csms.errors import InvalidInput, NotFound
from csms.store.jsontext import json_of, value_of
from csms.store.tables import operators, sites


def within(scope: Scope, operator_id: Any, site_id: Any) -> list[ColumnElement[bool]]:
    """Conditions that leave only rows in sight. The columns name whose a row is and where it stands.

    What stands nowhere is out of sight of whoever is limited to sites.
    """
    found: list[ColumnElement[bool]] = []
    if scope.operator is not None:
        own = select(operators.c.operator_id).where(operators.c.code == scope.operator)
        found.append(operator_id == own.scalar_subquery())
    if scope.sites is not None:
        # Codes of sites are unique with their operator only.
        own = select(operators.c.operator_id).where(operators.c.code == scope.operator)
        there = select(sites.c.site_id).where(
            sites.c.operator_id == own.scalar_subquery(), sites.c.code.in_(sorted(scope.sites))
        )
        found.append(site_id.in_(there))
    return found


def columns_of(scope: Scope, connection: Connection) -> dict[str, Any]:
    """`operator_id` and `sites` of a row. Raises NotFound; InvalidInput for sites without an operator."""
    operator_id = None
    if scope.operator is not None:
        asked = select(operators.c.operator_id).where(operators.c.code == scope.operator)
        operator_id = connection.scalar(asked)
        if operator_id is None:
            raise NotFound(f"operator {scope.operator}")
    if scope.sites is None:
        return {"operator_id": operator_id, "sites": None}
    if operator_id is None:
        raise InvalidInput("sites: name their operator too")
    known = select(sites.c.code).where(sites.c.operator_id == operator_id, sites.c.code.in_(scope.sites))
    missing = scope.sites - set(connection.scalars(known))
    if missing:
        raise NotFound(f"site {min(missing)}")
    return {"operator_id": operator_id, "sites": json_of(sorted(scope.sites))}


def sites_of(text: str | None) -> frozenset[str] | None:
    """The column `sites` as it was told; None for all."""
    return None if text is None else frozenset(value_of(text))
