"""The one tree of errors. Each says what is wrong, what was got, what is allowed and how to mend it.

SpearfishError                exit 1, HTTP 500   the work failed
├── InputError                exit 2, HTTP 422   what was handed in is wrong
│   ├── ConfigError           exit 2, HTTP 422   the TOML file, a flag or a setting
│   ├── ContractError         exit 2, HTTP 422   a table breaks the data contract
│   ├── UnknownAccountError   exit 2, HTTP 404   no such account (at that time)
│   └── NotEnoughDataError    exit 2, HTTP 422   too few rows or one class only
├── WorkspaceError            exit 2, HTTP 503   the workspace is absent, older or damaged
├── BundleError               exit 1, HTTP 503   a model bundle cannot be trusted
└── EngineError               exit 1, HTTP 503   the SQL engine failed; the failing SQL is in `sql`
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "BundleError",
    "ConfigError",
    "ContractError",
    "EngineError",
    "InputError",
    "NotEnoughDataError",
    "SpearfishError",
    "UnknownAccountError",
    "WorkspaceError",
    "suggestion",
]


class SpearfishError(Exception):
    """Base of every error that Spearfish raises on purpose.

    what: one clause that names the thing and the fault.
    got, allowed, fix: shown when given; `fix` is an instruction.
    """

    exit_code = 1
    http_status = 500

    def __init__(
        self,
        what: str,
        *,
        got: object | None = None,
        allowed: object | None = None,
        fix: str | None = None,
    ) -> None:
        self.what, self.got, self.allowed, self.fix = what, got, allowed, fix
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The whole error as one line: what (got ...; allowed ...); fix."""
        details = [
            f"{label} {value}"
            for label, value in (("got", self.got), ("allowed", self.allowed))
            if value is not None
        ]
        return (
            self.what
            + (f" ({'; '.join(details)})" if details else "")
            + (f"; {self.fix}" if self.fix else "")
        )


class InputError(SpearfishError):
    """What the caller handed in is wrong; mending it is up to the caller."""

    exit_code = 2
    http_status = 422


class ConfigError(InputError):
    """A TOML file, a flag or a setting is wrong."""


class ContractError(InputError):
    """A table does not fit the data contract as a whole (single rows are quarantined instead)."""


class UnknownAccountError(InputError):
    """The account does not exist, or was not known yet at `as_of`."""

    http_status = 404


class NotEnoughDataError(InputError):
    """Too few rows, or only one class, to do what was asked."""


class WorkspaceError(SpearfishError):
    """The workspace is absent, from another contract, or damaged."""

    exit_code = 2
    http_status = 503


class BundleError(SpearfishError):
    """A model bundle is incomplete, was altered, or does not reproduce its golden rows."""

    http_status = 503


class EngineError(SpearfishError):
    """The SQL engine failed. `sql` holds the statement."""

    http_status = 503

    def __init__(self, what: str, *, sql: str, fix: str | None = None) -> None:
        self.sql = sql
        super().__init__(what, fix=fix)


def suggestion(got: str, allowed: Iterable[str]) -> str | None:
    """The hint "did you mean 'horizon_days'?" for a near miss, otherwise None.

    >>> suggestion("horizn_days", ["horizon_days", "event"])
    "did you mean 'horizon_days'?"
    >>> suggestion("colour", ["horizon_days", "event"]) is None
    True
    """
    near = get_close_matches(got, list(allowed), n=1)
    return f"did you mean {near[0]!r}?" if near else None
