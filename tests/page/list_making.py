"""Lists of the small company, made and drawn as people and the machine do."""

from __future__ import annotations

from itertools import count
from typing import Any

from site_people import Person

FREE = ["acc-00", "acc-01", "acc-02", "acc-05", "acc-06", "acc-08"]
"""Accounts without a deal."""

SEGMENTS = [{"name": "North", "basis": "territory"}, {"name": "South", "basis": "territory"}]
GOAL = {
    "metric": "funnel_velocity",
    "segment": "North",
    "baseline": 40,
    "target": 15,
    "unit": "percent_change",
    "date": "2027-03-31",
}
_numbers = count(1)


def new_list(person: Person, **told: Any) -> Any:
    """A list without accounts."""
    given = {
        "name": f"List no. {next(_numbers)}",
        "owner": "Ann Marsh",
        "purpose": "Banks of the north",
        "pilot": False,
        "size": 50,
        "segments": SEGMENTS,
        "goals": [GOAL],
    }
    return person.call("POST", "/v1/lists", given | told)


def suggested(account_id: str, score: float) -> dict[str, Any]:
    """What the machine says of an account; baseline, contributions and other add up to the score."""
    return {
        "account_id": account_id,
        "score": score,
        "probability": 0.4,
        "probability_low": 0.3,
        "probability_high": 0.5,
        "baseline": -1.0,
        "other": 0.25,
        "reasons_for": [
            {
                "sentence": "industry: banking",
                "sentence_zh": "行业：banking",
                "attribute": "industry",
                "contribution": score + 1.0,
            }
        ],
        "reasons_against": [{"sentence": "country: US", "contribution": -0.25}],
        "nearest": [
            {"account_id": "acc-03", "name": "Company 3", "distance": 0.5, "shared": ["country: US"]}
        ],
    }


def draw(person: Person, number: int, accounts: list[str], *, kind: str = "first") -> Any:
    """A draw in this order: the first has the best score."""
    found = person.call("GET", f"/v1/lists/{number}")["target_list"]
    told = [suggested(one, round(2 - place / 4, 2)) for place, one in enumerate(accounts)]
    body = {"kind": kind, "why": f"{kind} of a test", "suggestions": told, "revision": found["revision"]}
    return person.call("POST", f"/v1/lists/{number}/draws", body)


def drawn_list(person: Person, accounts: list[str] | None = None, **told: Any) -> int:
    """A list with accounts; its number."""
    number: int = new_list(person, **told)["id"]
    draw(person, number, accounts or FREE)
    return number


def of(person: Person, number: int) -> Any:
    """The list with its counts and approvals."""
    return person.call("GET", f"/v1/lists/{number}")


def on(person: Person, number: int, **query: Any) -> list[str]:
    """Identifiers of the accounts on a list, the best first."""
    rows = person.call("GET", f"/v1/lists/{number}/accounts", **query)["accounts"]
    return [one["account_id"] for one in rows]


def submit(person: Person, number: int) -> int:
    """Into review; the revision then."""
    revision = of(person, number)["target_list"]["revision"]
    told = person.call("POST", f"/v1/lists/{number}/state", {"action": "submit", "revision": revision})
    return int(told["target_list"]["revision"])


def approve(person: Person, number: int, side: str) -> None:
    revision = of(person, number)["target_list"]["revision"]
    body = {"side": side, "decision": "approved", "revision": revision}
    person.call("POST", f"/v1/lists/{number}/approvals", body)
