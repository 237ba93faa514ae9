"""The classifier of job titles: from labelled titles to the data file that is shipped.

Time rule: none. Null rule: a title that is unsure has no class.
"""

from __future__ import annotations
