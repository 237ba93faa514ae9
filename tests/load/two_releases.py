"""Two releases to swap between, which give different answers.

Turns a workspace with a release of both models into one that has a second release: the same intent model
alone. Time rule: both are there before anything is measured; the first answers. Null rule: a workspace that
has both already stays as it is. A workspace without the first ends the command with what is missing.
"""

from __future__ import annotations

from features.workspace import Workspace
from serving.scoring import utc_now
from serving.store import Draft, Store, StoredBundle

__all__ = ["two_releases"]


def two_releases(workspace: Workspace) -> tuple[int, int]:
    """The numbers of the release of both models, and of that of one."""
    with Store.open(workspace.store_url) as store:
        both, one = (
            [each.id for each in store.history() if len(each.fingerprints) == size] for size in (2, 1)
        )
        if not both:
            raise SystemExit(
                "expected a release of both models to swap from; got none. Give a workspace with one, "
                "or a market of more accounts (--accounts)"
            )
        if one:
            return both[0], one[0]
        first = store.release(both[0])
        content = store.bundle_bytes(first.fingerprints["intent"])
        bundle = StoredBundle("intent", "buying_intent", first.fingerprints["intent"], content)
        draft = Draft((bundle,), created_by="load", reason="load", settings=first.settings)
        second = store.publish(draft, activate_at=None, now=utc_now()).release
        store.activate(first.id, activate_at=None, who="load", why="load", now=utc_now())
        return first.id, second.id
