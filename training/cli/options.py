"""The options that several commands share, each worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "WORKSPACE",
    "AsOfOption",
    "ConfigOption",
    "JsonOption",
    "LanguageOption",
    "OptionalConfig",
    "OptionalWhy",
    "SetOption",
    "WhyOption",
    "WorkspaceOption",
]

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", help="The TOML file that binds your tables; see configs/.", show_default=False
    ),
]
OptionalConfig = Annotated[
    Path | None, typer.Option("--config", "-c", help="The TOML file that binds your tables; see configs/.")
]
WorkspaceOption = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", envvar="SPEARFISH_HOME", help="The folder that holds all that is made."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Override a parameter of the config, as in folder=/data/crm."
    ),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="Use what was known before this moment, as in 2026-01-31 (UTC)."
    ),
]
LanguageOption = Annotated[str, typer.Option("--language", help="Language of the sentences: en or zh.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, kept in the log of releases.")]
OptionalWhy = Annotated[str | None, typer.Option("--why", help="The reason, kept in the log of releases.")]
WORKSPACE = Path("workspace")
