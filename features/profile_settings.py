"""The section [profile]: what sales holds the ideal customer to be.

Turns [[profile.stated]] into frozen, checked settings. Time rule: none. Null rule: without the section sales
has stated nothing.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from features.settings import Section

__all__ = ["ProfileSettings", "StatedTraitSettings"]


class StatedTraitSettings(Section):
    """[[profile.stated]]: one trait of the customers that sales wants, such as employees from 51 to 200.

    column: of the accounts, or the name of a feature of the fit model. op: `is` a text, one of several texts,
    true or false; `has` a member of a set, or one of several; `at_least`, `at_most` a number; `between` two.
    """

    column: str = Field(min_length=1)
    op: Literal["is", "has", "at_least", "at_most", "between"]
    value: bool | float | str | tuple[float, float] | tuple[str, ...]

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        numbers = {"at_least": float, "at_most": float, "between": tuple}
        wanted = numbers.get(self.op)
        value = self.value
        is_number = isinstance(value, float) and not isinstance(value, bool)
        if wanted is float and not is_number:
            raise ValueError(f"{self.op} takes one number as value")
        if wanted is tuple and self.bounds == (None, None):
            raise ValueError("between takes two rising numbers as value, as in [51, 200]")
        if self.op == "has" and not self.texts:
            raise ValueError("has takes a text or several as value")
        if self.op == "is" and not isinstance(value, bool) and not self.texts:
            raise ValueError("is takes a text, several texts, true or false as value")
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the value; none where it is a number or a flag."""
        given = self.value if isinstance(self.value, tuple) else (self.value,)
        return tuple(text for text in given if isinstance(text, str) and text)

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The lowest and the highest number that still counts; None where there is no such bound."""
        value = self.value
        if isinstance(value, tuple):
            rising = sorted(part for part in value if isinstance(part, float))
            return (rising[0], rising[1]) if len(value) == 2 and list(value) == rising else (None, None)
        if isinstance(value, bool | str) or self.op == "between":
            return None, None
        return (value, None) if self.op == "at_least" else (None, value)


class ProfileSettings(Section):
    """[profile]: what sales holds the ideal customer to be; the data say where they agree."""

    stated: tuple[StatedTraitSettings, ...] = ()
