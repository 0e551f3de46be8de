"""The campaign's town, and its verdict as tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from tests.campaign.city.ledgers import Account
from tests.campaign.city.town import Platform

# The first operator has two platforms; each city is in trouble all the time.
PLATFORMS = (
    Platform("beijing", "beijing", "395815801"),
    Platform("plain", "tcec102-2016", "425736102"),
    Platform("sim", "simulated", "513824603"),
    Platform("sim-too", "simulated", "395815801"),
)
AWAY, RESTARTED = "beijing", "plain"
SHOWN = 20


@dataclass(slots=True)
class Verdict:
    """Every statement that has to hold, with what is wrong where it does not."""

    statements: dict[str, list[str]] = field(default_factory=dict)

    def that(self, statement: str, wrong: list[str]) -> None:
        """Add a statement; it holds when nothing is wrong."""
        self.statements[statement] = wrong

    @property
    def holds(self) -> bool:
        return not any(self.statements.values())


def show(console: Console, verdict: Verdict) -> None:
    """Print whether each statement holds, and the first things that are wrong."""
    table = Table("it is so that", "verdict", title="city campaign", title_justify="left")
    for statement, wrong in verdict.statements.items():
        table.add_row(statement, f"[red]{len(wrong)} wrong" if wrong else "[green]yes")
    console.print(table)
    for statement, wrong in verdict.statements.items():
        for one in wrong[:SHOWN]:
            console.print(f"[red]{statement}:[/] {one}", markup=True, soft_wrap=True)


def show_accounts(console: Console, found: list[Account]) -> None:
    """Print what each city has beside what csms has."""
    names = ("platform", "profile", "orders", "revisions", "revised", "Wh ours", "kWh theirs")
    table = Table(*names, "fen ours", "fen theirs", "faults", "told again", "wrong", title="ledgers")
    for one in found:
        left = (one.platform, one.profile, one.sessions, one.revisions, one.revised, one.ours_wh)
        right = (one.theirs_kwh, one.ours_fen, one.theirs_fen, one.faults, one.duplicates, len(one.wrong))
        table.add_row(*map(str, left + right))
    console.print(table)
