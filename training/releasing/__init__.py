"""Releasing: from trained models to what is served, and back; what was changed by whom, and what is mended.

Time rule: a release answers from a moment on that all workers know. Null rule: a release may hold one model.
"""

from __future__ import annotations
