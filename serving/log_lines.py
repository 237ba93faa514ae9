"""The server's log: one line of JSON for each thing that is said.

Turns log records into lines with the time, how bad it is, who says it and what, beside members of their own
such as `request_id`. Nobody is named: addresses that stand in a text are masked, values of a failing
computation are left out, and of requests no path, no client address and no body is told. Time rule: UTC,
milliseconds. Null rule: a member that has no value is left out.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from features.privacy.masking import without_addresses

__all__ = ["JsonLines", "say_in_lines", "told"]

_MEMBERS = "spearfish"
_LEVELS = {"": logging.WARNING, "spearfish": logging.INFO, "bentoml": logging.INFO}


def told(**members: object) -> dict[str, Any]:
    """What stands beside the message, as `extra` of a logger's call."""
    return {_MEMBERS: members}


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_addresses(record.getMessage()),
            **getattr(record, _MEMBERS, {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _failure(record.exc_info[1])
        return json.dumps(
            {name: value for name, value in line.items() if value is not None}, ensure_ascii=False
        )


def _failure(error: BaseException) -> dict[str, object]:
    """Which error, and where: its message may hold what somebody sent."""
    places = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "where": [f"{one.filename}:{one.lineno}" for one in places]}


def say_in_lines(stream: TextIO | None = None) -> None:
    """From now on everything that this process logs, BentoML's own words included, is a line of JSON.

    stream: where to; None for standard output.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    for name in ("bentoml", "circus", "uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger().handlers[:] = [handler]
    for name, level in _LEVELS.items():
        logging.getLogger(name or None).setLevel(level)
