"""The page: trainings and their metrics in, HTML with its pictures inside out; it loads nothing.

Time rule: figures are from later slices than the rows that were learned from. Null rule: a model that could
not be trained is named with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

from features.workspace import Workspace
from models.card import ModelKey, name_of
from models.profile import Profile
from training.backtesting.evaluate import Estimate, Measured
from training.fit import Training, Untrained
from training.origins.check import OriginCheck
from training.report.model import model_section, title_of
from training.report.profile import profile_section

__all__ = ["profiles", "render", "write_report"]


def write_report(
    workspace: Workspace,
    found: Sequence[Training | Untrained],
    *,
    metrics: Mapping[ModelKey, Mapping[str, Estimate]],
    cutoff: datetime,
    name: str,
    origins: Mapping[ModelKey, OriginCheck | str] | None = None,
    beeswarms: Mapping[ModelKey, Figure] | None = None,
    costs: Mapping[ModelKey, Measured] | None = None,
) -> Path:
    """Write the page to the workspace's `reports/`, named by cutoff and content; returns its path.

    origins: by model, how well the origin of an account could be told, or why that could not be measured.
    beeswarms: by model, where they are drawn already. costs: by model, what monotone effects change.
    """
    checks, drawn = origins or {}, beeswarms or {}
    trained = [one for one in found if isinstance(one, Training)]
    page = render(
        "report.html.j2",
        name=name,
        cutoff=cutoff.date().isoformat(),
        models=[
            model_section(
                one,
                metrics=metrics[one.key],
                check=checks.get(one.key),
                beeswarm=drawn.get(one.key),
                cost=(costs or {}).get(one.key),
            )
            for one in trained
        ],
        absent=[
            {"title": title_of(one.key), "reason": one.reason} for one in found if isinstance(one, Untrained)
        ],
        profiles=list(profiles(trained)),
    )
    folder = workspace.home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(page.encode()).hexdigest()[:8]
    path = folder / f"training-{cutoff.date().isoformat()}-{digest}.html"
    path.write_text(page, encoding="utf-8")
    return path


def render(template: str, **context: object) -> str:
    """The page of what the sections say."""
    page = _environment().get_template(template).render(context)
    # A percent sign stays on the line of its number.
    return page.replace(" %", "\u00a0%")


@cache
def _environment() -> Environment:
    """Kept, as it takes longer to read the template than to fill it in."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def profiles(trained: Sequence[Training]) -> Iterator[dict[str, object]]:
    """Each fit model's own. `of` names the model, unless it is that of all accounts."""
    for one in trained:
        found = Profile.of_card(one.bundle.card)
        if found is not None:
            named = name_of(one.key) is not None
            yield {
                **profile_section(found),
                "of": f" of {title_of(one.key)}" if named else "",
                "anchor": f"profile-{one.key.replace('.', '-')}" if named else "profile",
            }
