"""The published figures: what `results/*.json` says, as tables for people.

Turns result files into Markdown: a line per yardstick in the README, and every table in `results/README.md`.
Time rule: none; each result names the commit that it was measured on. Null rule: a result that is not there
has no line.

    python -m training.publishing
"""

from __future__ import annotations

from training.publishing.documents import DOCUMENTS, published

__all__ = ["DOCUMENTS", "published"]
