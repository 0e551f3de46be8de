"""Bodies of commands: each example becomes its command."""

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from csms.api.command_forms import EXAMPLES, CommandForm, to_command
from csms.domain import commands

FORM: TypeAdapter[Any] = TypeAdapter(CommandForm)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_a_command(name: str) -> None:
    """What the OpenAPI document shows can be sent."""
    command = to_command(FORM.validate_python(EXAMPLES[name]), transaction_id="T1", number=7)

    assert type(command) is getattr(commands, name)


def test_every_command_can_be_given() -> None:
    """All but the raw call, which has a resource of its own."""
    names = {kind.__name__ for kind in get_args(commands.Command)}

    assert set(EXAMPLES) == names - {"RawCall"}


def test_numbers_of_remote_starts_and_reports() -> None:
    """Stations refer to a command by its own number."""
    start = to_command(FORM.validate_python(EXAMPLES["StartSession"]), transaction_id="", number=7)
    report = to_command(FORM.validate_python(EXAMPLES["GetBaseReport"]), transaction_id="", number=8)

    assert start == commands.StartSession("A1", evse=1, connector=1, remote_start_id=7)
    assert report == commands.GetBaseReport(8)
