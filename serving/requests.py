"""The request of POST /v1/score, made from the data contract.

Turns a JSON body into one strict `ScoreRequest`: unknown fields, wrong types, NaN, infinities, control
characters and oversized lists are refused, each with the field, what was got, what is allowed and the fix.
Time rule: every time carries a zone, becomes naive UTC and is floored to the second. Null rule: `null` and
an absent field both mean "not known"; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr, create_model, model_validator
from pydantic_core import PydanticCustomError

from features.contract import TABLES, Column, Table
from features.tables import Attribute
from serving.fields import (
    Domain,
    EmailAddress,
    Identifier,
    Moment,
    StrictModel,
    Text,
    clean_domain,
    field_of,
    one_of,
)
from serving.plain_rows import PLAIN_TABLES, plain_list, read_plain
from serving.problems import InvalidRequestError
from serving.reading import parse_body, parse_rows

__all__ = [
    "LIST_LIMITS",
    "MOST_ROWS",
    "BatchRequest",
    "Identifier",
    "ScoreRequest",
    "StrictModel",
    "batch_model",
    "clean_domain",
    "one_of",
    "parse_batch",
    "parse_body",
    "parse_request",
    "request_model",
]

LIST_LIMITS = {
    "earlier_versions": 100,
    "contacts": 1_000,
    "activities": 5_000,
    "intent_topics": 5_000,
    "opportunities": 500,
}
"""The most rows that one request may carry, by list."""

_SHORT = 1_000
"""Bytes; what is no longer has no long lists."""

MOST_ROWS = 1_000
"""The most accounts of one batch."""


class ScoreRequest(StrictModel):
    """Which account to score, given in exactly one of four ways, and as of when.

    `request_model` narrows `record` and `lead` to the contract and to the attributes that the workspace
    declares.
    """

    account_id: Identifier | None = Field(None, description="Identifier of a known account.")
    domain: Domain | None = Field(
        None, description="Web domain of a known account, such as example.com; www. is ignored."
    )
    record: Any = None
    lead: Any = None
    as_of: Moment | None = Field(
        None,
        description="Moment of the prediction; only facts known strictly before it count. Not in the future. "
        "Default: the later of today's midnight in the workspace's time zone and one second after the "
        "account's newest known fact.",
    )

    ways: ClassVar[tuple[str, ...]] = ("account_id", "domain", "record", "lead")

    _sent: str | None = PrivateAttr(None)

    @property
    def as_sent(self) -> str | None:
        """The whole request as JSON, where it brings a record that was plainly written; None otherwise."""
        return self._sent

    def sent_as(self, text: str) -> None:
        """Remember the request as JSON."""
        self._sent = text

    @model_validator(mode="after")
    def _exactly_one_way(self) -> ScoreRequest:
        given = [way for way in self.ways if getattr(self, way) is not None]
        if len(given) != 1:
            raise PydanticCustomError(
                "one_way",
                "must name the account in exactly one way",
                {"given": ", ".join(given) or "none", "ways": ", ".join(self.ways)},
            )
        return self


class BatchRequest(StrictModel):
    """Accounts to score, each of which is checked for itself."""

    accounts: Annotated[list[Any], Field(min_length=1, max_length=MOST_ROWS)] = Field(
        description="Answered in this order. An account that is named twice is answered once."
    )
    as_of: Moment | None = Field(None, description="For accounts that bring no as_of of their own.")


def _row_model(name: str, table: Table, *, without: Iterable[str], optional: Iterable[str]) -> Any:
    """A strict model of one table's rows, without the columns that the request implies."""
    fields: dict[str, Any] = {
        column.name: field_of(column, optional=column.name in set(optional))
        for column in table.columns
        if column.name not in set(without)
    }
    return create_model(name, __base__=StrictModel, __doc__=table.description, **fields)


def _attributes_model(attributes: tuple[Attribute, ...]) -> Any:
    fields: dict[str, Any] = {
        attribute.name: field_of(
            Column(attribute.name, attribute.column_type, attribute.label, unit=attribute.unit), optional=True
        )
        for attribute in attributes
    }
    doc = "The further account columns that this workspace's mapping declares."
    return create_model("Attributes", __base__=StrictModel, __doc__=doc, **fields)


@cache
def request_model(attributes: tuple[Attribute, ...]) -> type[ScoreRequest]:
    """The request model of a workspace: the contract's columns and its declared attributes."""
    return _request_model(attributes, plain=())


@cache
def _plain_model(attributes: tuple[Attribute, ...]) -> type[ScoreRequest]:
    """As `request_model`, whose long lists stay as they were sent: see `serving.plain_rows`."""
    return _request_model(attributes, plain=PLAIN_TABLES)


def _request_model(attributes: tuple[Attribute, ...], *, plain: Collection[str]) -> type[ScoreRequest]:
    account = _account_model(attributes)
    lists: dict[str, Any] = {"earlier_versions": _list_of(account, name="earlier_versions")}
    for name, row_name, optional in _ROW_MODELS:
        if name in plain:
            columns = [one for one in TABLES[name].columns if one.name not in _IMPLIED]
            rows = plain_list(columns, optional=optional, limit=LIST_LIMITS[name])
            lists[name] = rows, Field(default_factory=list)
        else:
            row = _row_model(row_name, TABLES[name], without=_IMPLIED, optional=optional)
            lists[name] = _list_of(row, name=name)
    record = create_model(
        "ScoreRecord",
        __base__=StrictModel,
        __doc__="An account that comes with its facts; nothing is looked up and nothing is stored.",
        account=(account, Field(description="What is known of the company now.")),
        **lists,
    )
    optional_record: Any = record | None
    lead: Any = _lead_model(attributes) | None
    return create_model(
        "ScoreRequest",
        __base__=ScoreRequest,
        __doc__="Which account to score: exactly one of account_id, domain, record and lead; and as of when.",
        record=(optional_record, Field(None, description="An account that is sent along with its facts.")),
        lead=(lead, Field(None, description="A person at a company, which is matched where it can be.")),
    )


@cache
def batch_model(attributes: tuple[Attribute, ...]) -> type[BatchRequest]:
    """The request model of a batch, for those who read what it may hold; `parse_batch` is more lenient."""
    row: Any = request_model(attributes)
    rows: Any = Annotated[list[row], Field(min_length=1, max_length=MOST_ROWS)]
    return create_model(
        "BatchRequest",
        __base__=BatchRequest,
        __doc__=f"Up to {MOST_ROWS:,} accounts to score, each right or wrong for itself.",
        accounts=(rows, Field(description=BatchRequest.model_fields["accounts"].description)),
    )


_IMPLIED = ("account_id", "email")
_ROW_MODELS = (
    ("contacts", "Contact", ("known_at",)),
    ("activities", "Activity", ("activity_id", "known_at")),
    ("intent_topics", "IntentTopic", ("known_at",)),
    ("opportunities", "Opportunity", ("opportunity_id", "known_at")),
)


def _account_model(attributes: tuple[Attribute, ...]) -> Any:
    facts = _row_model("Facts", TABLES["accounts"], without=("account_id",), optional=("known_at",))
    return create_model(
        "AccountFacts",
        __base__=facts,
        __doc__="What is known of the company. Without known_at the facts count as known all along.",
        attributes=(
            _attributes_model(attributes) | None,
            Field(None, description="Further declared columns, by name."),
        ),
    )


_OF_PERSON = ("title", "seniority", "department")


def _lead_model(attributes: tuple[Attribute, ...]) -> Any:
    person = {
        column.name: field_of(column, optional=True)
        for column in TABLES["contacts"].columns
        if column.name in _OF_PERSON
    }
    company = {
        column.name: field_of(column, optional=True)
        for column in TABLES["accounts"].columns
        if column.name not in ("account_id", "known_at", "name", "domain")
    }
    fields: dict[str, Any] = {
        "email": (EmailAddress | None, Field(None, description="E-mail address; it is not stored.")),
        "company": (Text | None, Field(None, description="Name of the company.")),
        "website": (Domain | None, Field(None, description="Web site or domain of the company.")),
        **person,
        **company,
        "attributes": (
            _attributes_model(attributes) | None,
            Field(None, description="Further declared columns of the company, by name."),
        ),
    }
    return create_model(
        "ScoreLead",
        __base__=StrictModel,
        __doc__="A person at a company. The company is matched to an account where it can be.",
        **fields,
    )


def _list_of(row: Any, *, name: str) -> tuple[Any, Any]:
    description = (
        TABLES[name].description if name in TABLES else "Older facts, each with known_at; growth needs them."
    )
    limited = Annotated[list[row], Field(max_length=LIST_LIMITS[name])]
    return limited, Field(default_factory=list, description=description)


def parse_request(body: bytes, *, attributes: tuple[Attribute, ...]) -> ScoreRequest:
    """One strict request from a JSON body.

    Raises MalformedJsonError (not JSON, a key twice, nested too deeply) or InvalidRequestError, which lists
    every field that is wrong.
    """
    plain = read_plain(body, model=_plain_model(attributes)) if len(body) > _SHORT else None
    if plain is None:
        return parse_body(body, model=request_model(attributes))
    request: ScoreRequest = plain[0]
    if request.record is not None:
        request.sent_as(plain[1])
    return request


def parse_batch(
    body: bytes, *, attributes: tuple[Attribute, ...]
) -> list[ScoreRequest | InvalidRequestError]:
    """The requests of a batch in their order; in place of a request, what is wrong with it.

    Raises MalformedJsonError or InvalidRequestError for what is wrong with the whole.
    """
    model = request_model(attributes)
    batch, rows = parse_rows(body, whole=BatchRequest, rows="accounts", model=model)
    return [_at(row, batch.as_of) for row in rows]


def _at(
    row: ScoreRequest | InvalidRequestError, moment: datetime | None
) -> ScoreRequest | InvalidRequestError:
    if moment is None or isinstance(row, InvalidRequestError) or row.as_of is not None:
        return row
    return row.model_copy(update={"as_of": moment})
