"""/operators: who runs sites. The code is the 9 characters by which city platforms know an operator."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, Own, Who, operation
from csms.api.forms import Form, Name, OperatorCode, View, ZoneName, with_examples
from csms.api.parts import Parts
from csms.errors import NotFound
from csms.store.registry import OperatorForm

router = APIRouter(prefix="/operators", tags=["Registry"])

EXAMPLE = {"code": "123456789", "name": "Example Charging", "time_zone": "Asia/Shanghai"}


class OperatorBody(Form):
    """An operator."""

    code: OperatorCode = Field(description="9 letters or digits: OperatorID of city reports.")
    name: Name
    time_zone: ZoneName = Field(description="IANA name; its days and months are counted in it.")

    model_config = with_examples(EXAMPLE)


class Operator(View):
    """An operator."""

    code: str
    name: str
    time_zone: str

    model_config = with_examples(EXAMPLE)


class Operators(View):
    """Every operator this key may see."""

    items: list[Operator]


@router.get("", summary="List operators", response_model=Operators, **operation(READERS))
async def list_operators(parts: Parts, own: Own) -> Any:
    """All of them; a key limited to one operator sees that one."""
    return {"items": [row for row in await parts.registry.operators() if own in (None, row["code"])]}


@router.post(
    "",
    summary="Register or change an operator",
    response_model=Operator,
    status_code=201,
    **operation(ADMINS, 404, 413),
)
async def put_operator(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: OperatorBody
) -> Any:
    """By `code`: 201 when it is new, 200 when it was changed. Repeating it changes nothing."""
    if own not in (None, body.code):
        raise NotFound(f"operator {body.code}")
    is_new = await parts.registry.put_operator(OperatorForm(**body.model_dump()))
    await audit(parts, request, who, "operator-put", body.code, body.model_dump())
    response.status_code = 201 if is_new else 200
    return body.model_dump()
