"""What a mapping says of personal data.

Turns [privacy] into settings. Time rule: none. Null rule: without the section addresses are hashed.
"""

from __future__ import annotations

from typing import Literal

from features.privacy.addresses import workspace_secret
from features.settings import Section
from features.workspace import Workspace

__all__ = ["PrivacySettings", "kept_under"]


class PrivacySettings(Section):
    """[privacy]: how e-mail addresses are kept.

    emails: "hashed" (the default) keeps hashes under the workspace's secret; "plain" keeps the addresses,
        for those who need them in exports and may have them.
    """

    emails: Literal["hashed", "plain"] = "hashed"


def kept_under(settings: PrivacySettings, *, workspace: Workspace) -> bytes | None:
    """The secret under which addresses are hashed; None where they are kept as they are."""
    return workspace_secret(workspace) if settings.emails == "hashed" else None
