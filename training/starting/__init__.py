"""Starting: a commented mapping of an export, guessed from its columns.

Time rule: none. Null rule: a column that fits nothing is left to its reader.
"""

from __future__ import annotations
