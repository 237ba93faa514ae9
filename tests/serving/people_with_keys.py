"""People with a key of their own, who ask a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
from server_process import Server, until

from features.workspace import Workspace
from serving.access.managing import create_key
from serving.scoring import utc_now
from serving.store import Store

__all__ = ["Person", "people"]

Person = Callable[[str], httpx.Client]


@contextmanager
def people(server: Server, workspace: Workspace) -> Iterator[Person]:
    """By name, a client of somebody who may work with lists."""
    made: dict[str, httpx.Client] = {}
    with ExitStack() as stack:

        def of(name: str) -> httpx.Client:
            if name not in made:
                with Store.open(workspace.store_url) as store:
                    text = create_key(store, owner=name, scopes=["lists"], who="test", now=utc_now()).text
                headers = {"Authorization": f"Bearer {text}"}
                client = httpx.Client(base_url=server.url, headers=headers, timeout=60)
                made[name] = stack.enter_context(client)
                until(lambda: client.get("/v1/lists").status_code == 200)
            return made[name]

        yield of
