"""The HTTP side of what platforms pull: one route for each path, the size limit, the bearer. No cryptography.

Several platforms may share a path: their OperatorIDs tell them apart.
"""

from collections.abc import Iterable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from csms.errors import ConfigError
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.receiver import Receiver

MAX_BODY_BYTES = 262_144  # the longest honest request names 50 sites
MEDIA_TYPE = "application/json;charset=utf-8"

Kinds = Mapping[str, tuple[Inbound, str]]


def routes(platforms: Iterable[Inbound], receiver: Receiver) -> list[BaseRoute]:
    """Every path of every platform. Raises ConfigError where a path would mean two things to one sender."""
    paths: dict[str, dict[str, tuple[Inbound, str]]] = {}
    for platform in platforms:
        for path, kind in platform.paths().items():
            kinds = paths.setdefault(path, {})
            if platform.city_id in kinds:
                other, _ = kinds[platform.city_id]
                raise ConfigError(
                    f"reporting.platforms: {other.name} and {platform.name} would both be asked as "
                    f"{platform.city_id} at {path}; give one of them another inbound.prefix"
                )
            kinds[platform.city_id] = (platform, kind)
    return [_route(path, kinds, receiver) for path, kinds in paths.items()]


def _route(path: str, kinds: Kinds, receiver: Receiver) -> Route:
    async def serve(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        reply = await receiver.receive(kinds, body, request.headers.get("Authorization", ""))
        return Response(reply.body, reply.status, media_type=MEDIA_TYPE if reply.body else None)

    return Route(path, serve, methods=["POST"], include_in_schema=False)


async def _body(request: Request) -> bytes | None:
    """The body; None when it is too large."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return None
    except ClientDisconnect:
        pass  # what has come is judged; nobody reads the answer
    return bytes(body)
