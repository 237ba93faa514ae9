"""Commands on target account lists: expand.

Turn what was typed into calls of public functions. Time rule: accounts are taken as they are known at --as-
of, by default today. Null rule: an option that is left out has the default that its help shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ConfigError, suggestion
from training.cli.given import open_output, open_workspace, read_as_of, read_moment, refuse
from training.cli.options import WORKSPACE, AsOfOption, JsonOption, LanguageOption, WorkspaceOption

if TYPE_CHECKING:
    from datetime import datetime

    from features.workspace import Workspace
    from models.lookalikes import Expansion, Weights
    from models.lookalikes.seeds import SeedMatches
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()

_SHOWN = 10


@commands.command()
def expand(
    *,
    seeds: Annotated[
        Path | None,
        typer.Option(
            "--seeds",
            help="A CSV file or a workbook of companies: account ids, domains, URLs, e-mail addresses or"
            " names. Without one, all customers are seeds.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[int, typer.Option("--size", help="How many accounts the list is to have.", min=1)] = 500,
    out: Annotated[Path, typer.Option("--out", help="The CSV file to write.")] = Path("lookalikes.csv"),
    column: Annotated[
        str | None,
        typer.Option("--column", help="Its column that names the companies.", show_default=False),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="The file's encoding, such as gb18030; UTF-8 unless told.", show_default=False),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            help="vertical: more like the seeds. horizontal: for a product line, of which only owners are"
            " left out. intent: about to buy, by the released model of buying intent.",
        ),
    ] = "vertical",
    product: Annotated[
        str | None,
        typer.Option("--product", help="The product line of --mode horizontal.", show_default=False),
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option(
            "--blend",
            help="What the order follows from, as in fit=0.5,intent=0.3,value=0.2; likeness is fit.",
            show_default=False,
        ),
    ] = None,
    customers: Annotated[
        str, typer.Option("--customers", help="leave_out or keep: customers that are no seeds.")
    ] = "leave_out",
    label_rate: Annotated[
        float | None,
        typer.Option(
            help="The share of all accounts like the seeds that is among the seeds, where you know it; the"
            " chance of each account follows from it.",
            min=0.0,
            max=1.0,
            show_default=False,
        ),
    ] = None,
    evaluate: Annotated[
        bool,
        typer.Option("--evaluate", help="Hide a share of the seeds, and tell how many are found again."),
    ] = False,
    as_of: AsOfOption = None,
    language: LanguageOption = "en",
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Find the accounts most like your seeds, each with its reasons and its nearest seeds.

    No model needs to be trained. How sure the list is follows from hiding seeds and looking for them.
    """
    from models.lookalikes.asking import Question
    from training.lookalikes.asking import expand_workspace

    if language not in ("en", "zh"):
        raise ConfigError("--language", got=language, allowed="en, zh")
    if customers not in ("leave_out", "keep"):
        raise ConfigError(
            "--customers",
            got=customers,
            allowed="leave_out, keep",
            fix=suggestion(customers, ("leave_out", "keep")),
        )
    output = open_output(as_json=as_json)
    moment = read_as_of(as_of) or read_moment("--as-of", value="today")
    place, weights = open_workspace(workspace), _weights(mode, product=product, blend=blend)
    intent = _intent(place, as_of=read_as_of(as_of)) if weights is not None and weights.intent else None
    with place.reading() as tables:
        asked = expand_workspace(
            tables,
            Question(
                size=size,
                leave_customers_out=customers == "leave_out",
                product=product,
                weights=weights,
                label_rate=label_rate,
            ),
            as_of=moment,
            seeds=seeds,
            column=column,
            encoding=encoding,
            intent=intent,
            evaluate=evaluate,
        )
    asked.write(out, language=language)
    if asked.matches is not None:
        _show_seeds(asked.matches, output=output, language=language)
    _show(asked.expansion, output=output, language=language)
    if asked.evaluation is not None:
        output.table(*asked.evaluation.table())
    output.note(f"{len(asked.expansion.suggestions):,} accounts: {out}")
    output.result(asked.document(language=language) | {"out": str(out)})


def _weights(mode: str, *, product: str | None, blend: str | None) -> Weights | None:
    """What the order follows from; None where likeness alone decides."""
    from models.lookalikes import Weights
    from models.lookalikes.asking import weights_of

    if mode == "horizontal" and product is None:
        raise ConfigError("--mode horizontal needs a product line", fix="name it with --product")
    if mode != "horizontal":
        refuse("--product", given=product, where=f"in --mode {mode}", fix="say --mode horizontal")
    if mode == "intent":
        refuse("--blend", given=blend, where="in --mode intent", fix="leave --mode out to blend")
    weights = None if blend is None else Weights.parse(blend)
    return weights_of(mode, product=product, weights=weights)


def _intent(workspace: Workspace, *, as_of: datetime | None) -> dict[str, float]:
    """By account, the chance of the event that the released model of buying intent speaks of."""
    from training.cli.answering import rank_all

    known = rank_all(workspace, as_of=as_of)[["account_id", "intent_probability"]].dropna()
    return dict(zip(known["account_id"], known["intent_probability"].astype(float), strict=True))


def _show_seeds(matches: SeedMatches, *, output: Output, language: str) -> None:
    counts = matches.counts
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count)
    output.note(f"{len(matches.rows):,} rows of seeds: {told}")
    odd = [one for one in matches.rows if one.status in ("ambiguous", "unmatched")]
    for one in odd[:_SHOWN]:
        possible = f" ({', '.join(one.possible)})" if one.possible else ""
        output.note(f"row {one.row}: {getattr(one.words, language)}{possible}")
    if len(odd) > _SHOWN:
        output.note(f"and {len(odd) - _SHOWN:,} more; --json tells all")


def _show(expansion: Expansion, *, output: Output, language: str) -> None:
    for words in expansion.notes:
        output.note(getattr(words, language))
    for reason, count in expansion.left_out.items():
        output.note(f"left out, {reason}: {count:,}")
    for one in expansion.not_used:
        output.note(f"not used: {one.sentence('zh' if language == 'zh' else 'en')}")
    rows: list[tuple[Any, ...]] = [
        (
            one.place,
            one.account_id,
            one.name or "-",
            f"{one.score:.3f}",
            "; ".join(getattr(reason.words, language) for reason in one.reasons_for[:2]),
            one.nearest[0].name or one.nearest[0].account_id,
        )
        for one in expansion.suggestions[:_SHOWN]
    ]
    output.table(
        ["#", "account", "name", "score", "why", "nearest seed"], rows, title=f"by {expansion.ranker}"
    )
