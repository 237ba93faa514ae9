"""Tables without dates: judged by folds that keep equal rows together.

Time rule: none, and every report says that time was not tested. Null rule: NaN is a value.
"""

from __future__ import annotations
