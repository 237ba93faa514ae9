"""Errors that stand in the place of answers, without what they were raised from.

Turns a caught error into one that may be kept. An error that was raised holds the frames it came through, and
these hold theirs: one of a list of answers held all rows of the list, their features and itself, a circle
that waits for Python's collector, which seldom looks at what is old. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from typing import TypeVar

__all__ = ["kept"]

Error = TypeVar("Error", bound=Exception)


def kept(error: Error) -> Error:
    """The same error, without its frames and the errors before it.

    >>> try:
    ...     raise ValueError("told") from KeyError("before")
    ... except ValueError as error:
    ...     answer = kept(error)
    >>> answer, answer.__traceback__, answer.__cause__, answer.__context__
    (ValueError('told'), None, None, None)
    """
    error.__cause__ = error.__context__ = error.__traceback__ = None
    return error
