"""The checks: campaigns on real sets and simulated markets that give the published figures.

Each is a command, `python -m training.checks.NAME`, that writes one file of `results/`. Time and null rules:
those of what each measures.
"""

from __future__ import annotations
