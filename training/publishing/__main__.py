"""The command: bring the README and `results/README.md` up to date with the result files."""

from __future__ import annotations

from training.publishing.documents import DOCUMENTS, published
from training.publishing.results import ROOT

if __name__ == "__main__":
    for name, render in DOCUMENTS.items():
        page = ROOT / name
        text = published(page.read_text(encoding="utf-8"), results=ROOT / "results", render=render)
        page.write_text(text, encoding="utf-8")
