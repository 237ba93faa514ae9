"""Which version is promoted when nothing is asked for."""

from __future__ import annotations

import pytest

from models.card import Kind
from training.tracking.versions import CHALLENGER, Version, choose


def version(kind: Kind, number: int, *aliases: str) -> Version:
    return Version(kind, number, f"run-{kind}-{number}", f"{kind}{number}" * 8, aliases)


@pytest.mark.parametrize(
    ("fit", "intent", "expected"),
    [
        ((CHALLENGER,), (CHALLENGER,), (1, 1)),
        ((), (), (1, 1)),
        ((), (CHALLENGER,), (None, 1)),
    ],
    ids=["both are challengers", "no challenger at all", "fit could not be trained this time"],
)
def test_the_challengers_are_promoted_together(
    fit: tuple[str, ...], intent: tuple[str, ...], expected: tuple[int | None, int | None]
) -> None:
    known: dict[str, tuple[Version, ...]] = {
        "fit": (version("fit", 1, *fit),),
        "intent": (version("intent", 1, *intent),),
    }
    chosen = [choose(known, kind, wanted=None) for kind in known]
    assert tuple(one and one.number for one in chosen) == expected
