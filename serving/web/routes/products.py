"""The product lines that there are.

Time rule: what is known now. Null rule: a deal without a product is of no line.
"""

from __future__ import annotations

from starlette.responses import Response

from features.errors import EngineError, WorkspaceError
from serving.lists.products import ProductsAnswer, product_lines
from serving.problems import NotReadyError
from serving.scoring import utc_now
from serving.web.endpoint import Call, Endpoint, Operation, json_answer

__all__ = ["ENDPOINTS"]


async def _products(call: Call) -> Response:
    def work() -> ProductsAnswer:
        tables = call.services.answers.desk().snapshot.tables
        return ProductsAnswer(products=product_lines(tables, as_of=utc_now()))

    return json_answer(await call.compute(work))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/products",
        scope="lists",
        handle=_products,
        operation=Operation(
            name="listProducts",
            summary="The product lines that opportunities name",
            description="What an expansion for another line, a plan and the rules of a list call `product`, "
            "each with how many accounts own it. Empty where opportunities carry no product.",
            tag="expansions",
            answer=ProductsAnswer,
            answer_description="Product lines, that with most customers first.",
            problems=(NotReadyError, WorkspaceError, EngineError),
        ),
    ),
)
