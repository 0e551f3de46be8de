"""Settings: the columns the API really gives."""

from csms.console.pages.settings import RESOURCES, _columns
from tests.api.conftest import Desk
from tests.console.kit import visit_of


async def test_columns(desk: Desk) -> None:
    """Those we know and it gives; else its own; removing only where that can be."""
    visit = await visit_of(desk)
    resource = RESOURCES["sites"]

    known = _columns(visit, resource, [{"code": "S01", "name": "x"}], False)
    other = _columns(visit, resource, [{"odd": 1}], True)

    assert [str(column.head) for column in known] == ["Code", "Name"]
    assert len(other) == 2
    assert other[0].cell({"odd": 1}) == "1"
