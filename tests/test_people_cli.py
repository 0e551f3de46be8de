"""`csms user` is tested with what it does, in `test_people_operations`; here: what is wrong with a call."""

from typer.testing import CliRunner

from csms.cli import app


def test_help_names_every_command() -> None:
    """A newcomer finds them."""
    shown = CliRunner().invoke(app, ["user", "--help"])

    assert shown.exit_code == 0
    for command in ("add", "password", "disable", "list"):
        assert command in shown.stdout
