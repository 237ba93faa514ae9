"""Searches of the small company that have ended."""

from __future__ import annotations

from typing import Any

from server_process import until
from site_people import Person


def ended_search(person: Person, **question: Any) -> Any:
    """A search of somebody, once it is done."""
    sent = person.call("POST", "/v1/jobs/expand", question)

    def told() -> Any:
        return person.call("GET", f"/v1/expansions/{sent['id']}")

    until(lambda: told()["state"] not in ("queued", "running"))
    done = told()
    assert done["state"] == "done", done
    return done
