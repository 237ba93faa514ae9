"""Learning: labelled rows and a float64 matrix in, one booster with its calibration and its intervals out.

Time rule: rows are predicted from earlier rows only, unless they have no dates. Null rule: NaN is a value.
"""

from __future__ import annotations
