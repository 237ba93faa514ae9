"""The load test uses the small company and the server process of the tests of the service."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "serving"))
