"""The commands `profile` and `explain --from`: what they refuse, and how."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from command import spearfish

from features.errors import ConfigError
from features.workspace import Workspace
from training.ideal_profile import shown


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
        (["profile", "--model", "intent"], "--model names no fit model"),
        (["profile", "--model", "foo", "--fit", "1"], "(got 'foo'; allowed fit, or a named one"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, options: list[str], words: str) -> None:
    done = spearfish(*options, "--json", home=tmp_path / "workspace")
    assert done.code in (1, 2)
    assert words in done.document["error"]["sentence"]


@pytest.mark.parametrize(
    ("model", "fix"), [("fit.eme", "did you mean 'fit.emea'"), ("fit.warehouses", "name one of them")]
)
def test_a_fit_model_that_was_never_trained_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, fix: str
) -> None:
    known = {"fit": (), "intent": (), "fit.emea": ()}
    monkeypatch.setattr(shown, "RegisteredModels", lambda _: SimpleNamespace(known=lambda: known))
    with pytest.raises(ConfigError, match=rf"got '{model}'; allowed fit, fit\.emea\); {fix}"):
        shown.read_profile(Workspace(tmp_path), fit="1", model=model)
