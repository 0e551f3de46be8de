"""Every operation of the OpenAPI document, asked by everybody: who may, and who sees what."""

import asyncio
import re
from typing import Any, NamedTuple

import pytest

from csms.api.auth import new_key
from csms.api.passwords import hash_of
from csms.domain.assets import IdToken
from csms.domain.scope import Scope
from csms.store.users import UserForm
from tests.api.conftest import Desk
from tests.api.kit import MINE, OTHER, begin_visit, body_of, places_of, prepare, query_of
from tests.api.rights import RULES, Rule

NAMED_BY_QUERY = (
    "/api/v1/assets/connector-names",
    "/api/v1/assets/connector-places",
    "/api/v1/reports/statement",
)
SERVED = {200, 201, 202, 204}
IMPORT, FILE = "/api/v1/assets/import", f"operator,name\n{MINE},A\n".encode()
STREAM = "/api/v1/live"
# What is in use stays, what has ended is not cancelled, and CS-0099 was registered a moment before.
IN_THE_WAY = {
    ("delete", "/api/v1/operators/{operator}/sites/{site}"),
    ("delete", "/api/v1/operators/{operator}"),
    ("post", "/api/v1/commands/{command_id}/cancel"),
    ("post", "/api/v1/quarantine/{identity}/link"),
}
# Strings that only the first operator's records hold, and those of its first site.
TELLTALE = ("CS-0001", "S01", "1767261600000001", "T-0001")
PASSWORD = "correct horse battery"  # of the examples


class Asker(NamedTuple):
    """Nobody at all (no role), a key, or a person in a browser; perhaps limited to an operator and sites."""

    role: str
    scope: tuple[str, ...] = ()
    is_person: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether the first operator's site S01 is out of sight."""
        return self.scope in ((OTHER,), (MINE, "S02"))

    def __str__(self) -> str:
        return "-".join(("person" if self.is_person else "key", self.role or "none", *self.scope))


SCOPES: tuple[tuple[str, ...], ...] = ((), (MINE,), (OTHER,), (MINE, "S01"), (MINE, "S02"))
NOBODY = Asker("")
ASKERS = [
    NOBODY,
    *(Asker(role, scope) for role in ("admin", "operator", "viewer", "platform") for scope in SCOPES),
    Asker("admin", (), True),
    Asker("operator", (MINE,), True),
    Asker("viewer", (OTHER,), True),
    Asker("operator", (MINE, "S01"), True),
    Asker("admin", (MINE, "S02"), True),
]


def expected(path: str, method: str, operation: dict[str, Any], asker: Asker) -> set[int]:
    """The statuses that are right."""
    rule = RULES[method, path]
    if rule.who == "anybody":
        return {401} if path.endswith("/sign-in") else SERVED  # the example's password is nobody's
    if asker == NOBODY:
        return {401}
    if rule.who == "person":
        return SERVED if asker.is_person else {403}
    if not rule.allows(asker.role, asker.scope):
        return {403}
    if not asker.is_elsewhere:
        return {409} if (method, path) in IN_THE_WAY else SERVED
    return elsewhere(path, operation, asker.scope)


def elsewhere(path: str, operation: dict[str, Any], scope: tuple[str, ...]) -> set[int]:
    """The statuses that are right for whoever may, but does not see what is asked for: mostly 404."""
    if path == "/api/v1/charging-stations" and "requestBody" in operation:
        return {409}  # the identity is taken
    if path == "/api/v1/id-tokens" and "requestBody" in operation:
        return {409}  # the token is another operator's
    # Whoever is limited to another site is of this operator all the same.
    if path.endswith("/decision") or (path == "/api/v1/operators/{operator}" and scope[0] == MINE):
        return {200}  # of a token that is not one's own, it says no more than that
    if path == "/api/v1/work-queues/{queue}":
        return {200}  # a queue is everybody's; what is in it is not
    if path == IMPORT:
        return {422}  # its rows are those of an operator nobody knows
    names_a_record = "{" in path or "requestBody" in operation or path in NAMED_BY_QUERY
    return {404} if names_a_record else {200}


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Of the examples' password; a hash takes long on purpose."""
    return asyncio.run(hash_of(PASSWORD))


async def headers_of(desk: Desk, asker: Asker, password_hash: str) -> dict[str, str]:
    """How somebody asks. A person's visit begins anew, with the password of the examples."""
    if asker == NOBODY:
        return {}
    if not asker.is_person:
        return {"Authorization": f"Bearer {await desk.key(asker.role, *asker.scope)}"}
    user = await desk.parts.users.named("zhang")
    await desk.parts.users.set_password(user.user_id, password_hash, must_change=False, keep=b"")
    return await begin_visit(desk, "zhang")


async def add_person(desk: Desk, asker: Asker) -> None:
    """The person who asks."""
    operator, *sites = asker.scope or (None,)
    scope = Scope(operator, frozenset(sites) if sites else None)
    await desk.parts.users.add(UserForm("zhang", asker.role, scope), "no hash", False, desk.clock[0])


async def places_for(desk: Desk, path: str, method: str, command_id: str) -> dict[str, str]:
    """What a path names is there, whatever was done before."""
    await desk.parts.registry.put_in_quarantine("CS-0099", "192.0.2.1", "test", desk.clock[0])
    await desk.parts.evidence.tokens.put(IdToken("A1"), MINE, None, 0)
    others = {"command_id": command_id, "webhook": "2" if method == "delete" else "1"}
    if "quarantine" in path:
        others["identity"] = "CS-0099"
    if "{key_id}" in path:
        digest = new_key()[1]
        number = await desk.parts.registry.put_api_key("old", digest, "viewer", Scope(MINE), desk.clock[0])
        others["key_id"] = str(number)
    return places_of(path, **others)


def test_every_operation_has_a_rule(desk_document: dict[str, Any]) -> None:
    """Whoever adds one says who may; what the document says of it is the same."""
    documented = {
        (method, path): operation
        for path, operations in desk_document["paths"].items()
        for method, operation in operations.items()
    }
    assert set(documented) == set(RULES)

    wrong = []
    for where, operation in documented.items():
        rule = RULES[where]
        said = {*operation.get("x-roles", ())}, operation.get("x-whole-network"), operation.get("x-by-site")
        if rule.who != "anybody" and said != in_the_document(rule):
            wrong.append((where, said, rule))
    assert wrong == []


def in_the_document(rule: Rule) -> tuple[set[str], bool, bool]:
    """What the document says of an operation with this rule."""
    roles = {role for role in ("admin", "operator", "viewer", "platform") if rule.allows_role(role)}
    return roles, rule.reach == "network", rule.reach == "site"


@pytest.mark.parametrize("asker", ASKERS, ids=str)
async def test_each_operation_serves_whom_it_should(desk: Desk, asker: Asker, password_hash: str) -> None:
    """Role and scope decide, for every operation there is; what is out of sight is 404."""
    command_id, document = await prepare(desk), desk.app.openapi()
    await add_person(desk, asker)
    hidden = TELLTALE if len(asker.scope) > 1 else (*TELLTALE, MINE)

    wrong = []
    async with desk.anonymous() as client:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                right = expected(path, method, operation, asker)
                if path == STREAM and not right & {401, 403}:
                    continue  # it has no end; what it tells whom is tested with a real server
                places = await places_for(desk, path, method, command_id)
                url = re.sub(r"\{(\w+)\}", lambda found, at=places: at[found[1]], path)
                body = body_of(document, operation)
                sent = {"content": FILE} if path == IMPORT else {"json": body}
                headers = await headers_of(desk, asker, password_hash)
                answer = await client.request(
                    method, url, params=query_of(operation), headers=headers, **sent
                )
                leaks = asker.is_elsewhere and answer.is_success and any(t in answer.text for t in hidden)
                if answer.status_code not in right or leaks:
                    wrong.append((method, path, answer.status_code, right, answer.text[:200]))

    assert wrong == []
