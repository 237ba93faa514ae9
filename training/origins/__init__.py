"""Origins: how well it could be told from features where an account comes from.

Time rule: features as of one moment. Null rule: emptiness is a value.
"""

from __future__ import annotations
