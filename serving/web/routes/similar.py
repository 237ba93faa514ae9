"""Accounts like one.

Time rule: accounts as they are known now. Null rule: none of its own.
"""

from __future__ import annotations

from starlette.responses import Response

from features.errors import EngineError, NotEnoughDataError, UnknownAccountError, WorkspaceError
from models.lookalikes import expand
from models.lookalikes.documents import document_of
from serving.lists.expansion_answers import SimilarAnswer, SimilarTo, suggested
from serving.lists.universes import prepared_accounts
from serving.problems import NotReadyError
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import integer, limit_parameter

__all__ = ["ENDPOINTS"]

_LIMIT, _MOST = 10, 100


async def _similar(call: Call) -> Response:
    limit = integer(call, "limit", default=_LIMIT, most=_MOST) or _LIMIT
    asked, language = call.request.path_params["id"], call.language

    def work() -> SimilarAnswer:
        snapshot = call.services.answers.desk().snapshot
        account = snapshot.accounts.by_id(asked)
        name = account.account_id or asked
        prepared = prepared_accounts(snapshot, account_id=name)
        found = expand(prepared, [name], size=limit)
        return SimilarAnswer(
            account=SimilarTo(account_id=name, name=account.name, domain=account.domain),
            compared=len(prepared.universe),
            notes=[getattr(words, language) for words in found.notes],
            accounts=[suggested(document_of(one), language=language) for one in found.suggestions],
        )

    return json_answer(await call.compute(work))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/accounts/{id}/similar",
        scope="lists",
        handle=_similar,
        slashes=True,
        operation=Operation(
            name="listSimilarAccounts",
            summary="The accounts most like one",
            description="By what the tables know of them, without a model that has to be trained, each with "
            "what speaks for and against it and what the two have in common. Customers are among them. Of "
            "very many accounts an even part is looked through, whose size is told.",
            tag="expansions",
            parameters=(
                parameter(
                    "id",
                    "path",
                    "Identifier of a known account.",
                    schema={"type": "string"},
                    required=True,
                ),
                limit_parameter(_MOST, _LIMIT),
                LANGUAGE,
            ),
            answer=SimilarAnswer,
            answer_description="Accounts, the most alike first.",
            problems=(UnknownAccountError, NotEnoughDataError, NotReadyError, WorkspaceError, EngineError),
        ),
    ),
)
