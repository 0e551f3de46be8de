"""/operators: who runs sites. The code is the 9 characters by which city platforms know an operator."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, Own, Who, operation
from csms.api.forms import Form, Name, OperatorCode, View, ZoneName, with_examples
from csms.api.parts import Parts
from csms.api.problems import invalid
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


@router.get(
    "",
    summary="List operators",
    response_model=Operators,
    **operation(READERS, by_site=True),
)
async def list_operators(parts: Parts, own: Own) -> Any:
    """All of them; a key limited to one operator sees that one."""
    return {"items": [row for row in await parts.registry.operators() if own.operator in (None, row["code"])]}


OperatorPath = Annotated[OperatorCode, Path(description="The operator's code.", examples=["123456789"])]


class OperatorPatch(Form):
    """What is to be different; what is left out stays as it is."""

    name: Name | None = None
    time_zone: ZoneName | None = Field(
        default=None, description="Counts for what is reported from now on; closed totals stay."
    )

    model_config = with_examples({"name": "Example Charging"})


async def operator_of(parts: Parts, operator: OperatorPath, own: Own) -> dict[str, Any]:
    """The operator, if this key may see it. Raises NotFound."""
    found = await parts.places.operator(operator) if own.operator in (None, operator) else None
    if found is None:
        raise NotFound(f"operator {operator}")
    return found


Known = Annotated[dict[str, Any], Depends(operator_of)]


@router.get(
    "/{operator}",
    summary="One operator",
    response_model=Operator,
    **operation(READERS, 404, by_site=True),
)
async def one_operator(operator: Known) -> Any:
    """An operator by its code."""
    return operator


@router.patch(
    "/{operator}", summary="Change an operator", response_model=Operator, **operation(ADMINS, 404, 413)
)
async def patch_operator(request: Request, parts: Parts, who: Who, before: Known, body: OperatorPatch) -> Any:
    """Its name or time zone; the code stays, because reports name it."""
    asked = body.model_dump(exclude_unset=True)
    for name, value in asked.items():
        if value is None:
            raise invalid(f"body.{name}", "it is null", "Leave it out, or send a value.")
    before, after = await parts.places.change_operator(before["code"], asked)
    await audit(parts, request, who, "operator-change", before["code"], after, before)
    return after


@router.delete(
    "/{operator}",
    summary="Remove an operator",
    status_code=204,
    **operation(ADMINS, 404, 409, whole_network=True),
)
async def remove_operator(request: Request, parts: Parts, who: Who, before: Known) -> None:
    """One that was never used. 409 when it has sites, stations, keys or anything else."""
    await parts.places.remove_operator(before["code"])
    await audit(parts, request, who, "operator-remove", before["code"], {}, before)


@router.post(
    "",
    summary="Register or change an operator",
    response_model=Operator,
    status_code=201,
    **operation(ADMINS, 404, 413, also={200: Operator}),
)
async def put_operator(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: OperatorBody
) -> Any:
    """By `code`: 201 when it is new, 200 when it was changed. Repeating it changes nothing."""
    if own.operator not in (None, body.code):
        raise NotFound(f"operator {body.code}")
    before = await parts.places.operator(body.code)
    is_new = await parts.registry.put_operator(OperatorForm(**body.model_dump()))
    await audit(parts, request, who, "operator-put", body.code, body.model_dump(), before)
    response.status_code = 201 if is_new else 200
    return body.model_dump()
