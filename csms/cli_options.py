"""What the commands of all files share: which settings they work with."""

from pathlib import Path
from typing import Annotated

import typer

from csms import log
from csms.config import Settings

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings; without it config.yaml here, or $CSMS_CONFIG."),
]


def settings_of(config: Path | None) -> Settings:
    """The settings, and logging as they want it. Raises ConfigError."""
    settings = Settings.load(config)
    log.configure(settings.log.level, settings.log.format)
    return settings
