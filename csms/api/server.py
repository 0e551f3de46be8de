"""Builds the HTTP application: routes, errors, limits, the OpenAPI document. Knows no record."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response
from starlette.routing import compile_path

from csms.api import (
    alarms,
    amendments,
    assets,
    audit_log,
    calls,
    charts,
    command_batches,
    commands,
    costs,
    credentials,
    curves,
    documents,
    downloads,
    exclusions,
    health,
    id_tokens,
    keys,
    live,
    me,
    messages,
    once,
    operators,
    platform,
    platforms,
    problems,
    quarantine,
    reports,
    schedules,
    session_search,
    session_stories,
    sessions,
    sites,
    station_changes,
    stations,
    tariffs,
    uptime,
    users,
    webhooks,
    work_queues,
)
from csms.api.paging import known_parameters
from csms.api.parts import ApiParts
from csms.api.problems import FieldProblem, Problem, ProblemBody
from csms.api.shield import Shield

BASE = "/api/v1"
DOCUMENT = BASE + "/openapi.json"
ABOUT = """Charging stations, charging sessions, totals and reports to city platforms.

Send `Authorization: Bearer KEY` with a key made by `csms api-key create`. A key that is limited to one
operator sees that operator's records only; others do not exist for it (404). Times are UTC with
milliseconds, energies integer Wh. Errors are `application/problem+json` (RFC 9457). Lists have pages: give
`next` as `after` until it is null."""
RESOURCES = (
    stations,
    session_search,
    station_changes,
    credentials,
    sessions,
    session_stories,
    costs,
    curves,
    amendments,
    messages,
    commands,
    command_batches,
    calls,
    reports,
    charts,
    downloads,
    documents,
    schedules,
    platforms,
    platform,
    uptime,
    exclusions,
    operators,
    sites,
    assets,
    tariffs,
    id_tokens,
    quarantine,
    me,
    users,
    keys,
    audit_log,
    live,
    webhooks,
    alarms,
    work_queues,
)
ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def build_api(parts: ApiParts) -> FastAPI:
    """The application with every resource. The status page is mounted into it by others."""
    app = FastAPI(
        title="CSMS",
        version="1",
        description=ABOUT,
        openapi_url=None,
        docs_url=None,  # its scripts would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    problems.install(app)
    once.install(app)
    app.add_middleware(Shield)  # the last is the outermost
    api = APIRouter(prefix=BASE, dependencies=[Depends(known_parameters), Depends(once.once)])
    for resource in RESOURCES:
        api.include_router(resource.router)
    app.include_router(api)
    # Nobody is known yet to whom an Idempotency-Key could belong.
    app.include_router(me.door, prefix=BASE, dependencies=[Depends(known_parameters)])
    app.include_router(health.router)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    app.add_api_route(DOCUMENT, _document_route(app), methods=["GET"], include_in_schema=False)
    app.add_api_route("/api/{rest:path}", _elsewhere, methods=ANY_METHOD, include_in_schema=False)
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = made["components"]["schemas"]
        schemas["Problem"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas["Problem"].pop("$defs", None)
        schemas["FieldProblem"] = FieldProblem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path, operations in made["paths"].items():
            for method, operation in operations.items() if path.startswith(BASE) else ():
                _complete(method, operation)
        app.openapi_schema = made
    return app.openapi_schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Add what every operation of its kind takes and answers, whatever it does."""
    errors = [413] if "requestBody" in operation else []
    if method == "post" and "x-public" not in operation:
        operation.setdefault("parameters", []).append(once.DESCRIBED)
        errors.append(409)
    for status, answer in problems.described(*errors).items():
        operation["responses"].setdefault(str(status), answer)


def _document_route(app: FastAPI) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def openapi() -> Mapping[str, Any]:
        return app.openapi()

    return openapi


async def _elsewhere(request: Request) -> Response:
    """What no resource has taken: a wrong method, or no such path."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    for template, operations in paths.items():
        pattern, _, _ = compile_path(template)
        if pattern.match(request.url.path):
            allowed = ", ".join(sorted(method.upper() for method in operations))
            raise Problem(405, f"This resource takes {allowed}.", headers={"Allow": allowed})
    raise Problem(404, f"There is no resource at this path; {DOCUMENT} lists them all.")
