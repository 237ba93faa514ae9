"""The commands `profile` and `explain --from`: what they refuse, and how."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import spearfish


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["explain", "a", "--to", "2024-01-01"], "give --from as well"),
        (["explain", "a", "--from-release", "1"], "give --from as well"),
        (["explain", "a", "--from", "2024-01-01", "--as-of", "2024-02-01"], "give --from and --to alone"),
        (["explain", "a", "--from", "2999-01-01"], "--from is in the future"),
        (["explain", "a", "--from", "spring"], "--from is not a time"),
        (["profile", "--language", "fr"], "unknown language"),
        (["profile"], "store"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, options: list[str], words: str) -> None:
    done = spearfish(*options, "--json", home=tmp_path / "workspace")
    assert done.code in (1, 2)
    assert words in done.document["error"]["sentence"]
