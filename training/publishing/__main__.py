"""The command: bring the README and `results/README.md` up to date with the result files."""

from __future__ import annotations

from training.checks.results import ROOT
from training.publishing.documents import DOCUMENTS, published

if __name__ == "__main__":
    for name, render in DOCUMENTS.items():
        page = ROOT / name
        text = published(page.read_text(encoding="utf-8"), results=ROOT / "results", render=render)
        page.write_text(text, encoding="utf-8")
