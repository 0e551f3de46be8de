"""What we tell stations."""

from dataclasses import is_dataclass
from typing import get_args

from csms.domain import commands
from csms.domain.commands import Order, Outcome, Result


def test_every_command_class_is_a_command() -> None:
    """None is forgotten in the union of what whoever holds the connection is asked for."""
    parts = {"SetVariable", "Outcome", "TransactionSaid"}
    kinds = {
        name
        for name, value in vars(commands).items()
        if is_dataclass(value) and value.__module__ == commands.__name__
    }

    assert kinds - parts == {kind.__name__ for kind in get_args(Order)}


def test_an_outcome_says_how_it_went() -> None:
    """Also when the station said nothing."""
    assert Outcome(Result.SILENT) == Outcome(Result.SILENT, None, "", ())
