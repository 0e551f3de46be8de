"""`csms user` on a real database: added, given another password, disabled, listed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.config import DatabaseSettings, Settings
from csms.errors import InvalidInput, NotFound
from csms.people_operations import PersonForm, add_person, disable, listed, set_password


def settings(folder: Path) -> Settings:
    """A database in this folder."""
    return Settings(database=DatabaseSettings(url=f"sqlite:///{folder / 'csms.db'}"))


async def test_a_persons_life(tmp_path: Path) -> None:
    """One-time passwords where none is given; unknown people and roles are said."""
    where = settings(tmp_path)
    first = await add_person(where, PersonForm("li", "operator", None, ()))
    second = await set_password(where, "LI", None)
    third = await set_password(where, "li", "correct horse battery")
    await disable(where, "li")
    (person,) = await listed(where)

    assert first != second
    assert third is None
    assert (person["name"], person["role"], person["enabled"]) == ("li", "operator", False)
    with pytest.raises(NotFound):
        await disable(where, "nobody")
    with pytest.raises(InvalidInput):
        await add_person(where, PersonForm("wang", "king", None, ()))
    with pytest.raises(InvalidInput):
        await set_password(where, "li", "short")


def test_the_command_line(tmp_path: Path) -> None:
    """What it prints is enough to sign in."""
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {{url: 'sqlite:///{tmp_path / 'csms.db'}'}}\n")
    run, where = CliRunner().invoke, ["--config", str(config)]

    added = run(app, ["user", "add", "li", "--role", "admin", *where])
    changed = run(app, ["user", "password", "li", *where])
    typed = "correct horse battery\ncorrect horse battery\n"
    asked = run(app, ["user", "password", "li", "--ask", *where], input=typed)
    shown = run(app, ["user", "list", *where])
    stopped = run(app, ["user", "disable", "li", *where])

    assert [r.exit_code for r in (added, changed, asked, shown, stopped)] == [0] * 5
    assert len(added.stdout.strip().splitlines()[-1]) == 20
    assert "admin" in shown.stdout
    assert "may not sign in" in stopped.stdout
