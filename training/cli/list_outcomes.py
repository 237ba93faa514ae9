"""The command on what became of target accounts: lists outcomes.

Turns what was typed into calls of public functions. Time rule: moments are read by training.cli.given. Null
rule: without a list all lists count together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.given import open_output, open_workspace, read_as_of
from training.cli.list_options import list_named, open_store
from training.cli.options import WORKSPACE, AsOfOption, JsonOption, WorkspaceOption
from training.cli.releases import now

if TYPE_CHECKING:
    from serving.lists.outcome_answers import ComparedOutcomes, ListOutcomesAnswer, OutcomeEstimate
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()

_VERDICTS = {
    "higher": "higher",
    "lower": "lower",
    "unclear": "no difference is shown",
    "not_enough": "not enough evidence yet",
}


@commands.command()
def outcomes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[LIST]",
            help="Name or number of the list. Default: all lists together.",
            show_default=False,
        ),
    ] = None,
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="So many days each account is followed. Default: 365.")
    ] = None,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show what became of accepted suggestions, beside comparable accounts that were on no list."""
    from serving.lists.outcome_answers import outcomes_answer
    from serving.lists.outcomes import USUAL_DAYS, outcomes_of
    from serving.subjects import SECOND

    output, place = open_output(as_json=as_json), open_workspace(workspace)
    until = read_as_of(as_of)
    with place.reading() as tables, open_store(workspace) as store:
        list_id = None
        if name is not None:
            with store.reading() as connection:
                list_id = list_named(connection, name).id
        # Without a moment what was approved within this second counts as well.
        moment = until or now() + SECOND
        found = outcomes_of(tables, store, list_id=list_id, days=days or USUAL_DAYS, now=moment)
    told = outcomes_answer(found, list_id=list_id)
    _show(told, output=output)
    output.result(told.model_dump(mode="json"))


def _show(told: ListOutcomesAnswer, *, output: Output) -> None:
    output.heading(
        f"What became of accounts within {told.days:,} days, as known before {told.until.isoformat()}Z"
    )
    rows = [
        (
            group.accounts,
            *(group.unknown, group.customers, group.open_deals, group.too_early, group.ripe),
            *(_share(group.opened_rate, group.opened), _share(group.win_rate, group.won)),
            f"{group.deals_won:,} of {group.deals_ended:,}",
        )
        for group in (told.accepted, told.added, told.rejected)
    ]
    names = ("accepted suggestions", "added by people", "rejected suggestions")
    output.table(
        [
            *("", "accounts", "not in the data then", "customers", "in a deal", "too early", "ripe"),
            *("opened a deal", "won one", "won of ended deals"),
        ],
        [(name, *row) for name, row in zip(names, rows, strict=True)],
    )
    if not told.moments:
        output.note("no version of a list was approved by then: from its approval on a list is followed")
    if told.rejected.taken_up_later:
        output.note(
            f"{told.rejected.taken_up_later:,} of the rejected were taken up by a list within the days after;"
            " here they count as rejected"
        )
    if told.forgotten:
        output.note(f"{told.forgotten:,} places were of accounts erased on request; nothing is told of them")
    if told.accepted.first_ripe_at is not None:
        output.note(
            f"too early: the next accepted accounts are ripe on {told.accepted.first_ripe_at:%Y-%m-%d}"
        )
    _show_comparison(told, output=output)


def _show_comparison(told: ListOutcomesAnswer, *, output: Output) -> None:
    from models.list_outcomes import LEAST_ACCOUNTS

    matched, others = told.against_comparable, told.comparable
    output.note(
        f"known accounts at the moments of acceptance: {others.known:,}; on a list {others.on_lists:,}, "
        f"customers {others.customers:,}, in a deal {others.open_deals:,}, comparable {others.free:,} (of "
        f"these taken up by a list later: {others.taken_up_later:,})"
    )
    output.note(
        f"ripe accepted accounts with comparable ones: {matched.matched:,} of {matched.accepted:,}, alike in "
        f"{', '.join(matched.strata)}; beside {matched.accounts:,} accounts, as good as "
        f"{matched.effective:,.0f} unweighted; left out without any: {matched.without_comparable:,}"
    )
    some = {
        "won a deal, comparable": matched.won,
        "opened a deal, comparable": matched.opened,
        "won a deal, rejected": told.against_rejected.won,
        "opened a deal, rejected": told.against_rejected.opened,
    }
    heads = ["against", "accepted", "others", "difference, 95 %", "ratio, 95 %", "verdict"]
    output.table(heads, [(name, *_compared(one)) for name, one in some.items()])
    if any(one.verdict == "not_enough" for one in some.values()):
        output.note(
            f"not enough evidence: fewer than {LEAST_ACCOUNTS} accounts on a side, or none that opened or "
            "won a deal; the numbers are told, and no verdict"
        )
    output.note(
        "The difference tells of the list as a whole: who was chosen, and that sales then worked them; not "
        "of the choice alone."
    )


def _share(rate: OutcomeEstimate | None, count: int) -> str:
    return "-" if rate is None else f"{count:,}: {rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _compared(found: ComparedOutcomes) -> tuple[str, ...]:
    rates = ("-" if one is None else f"{one.value:.1%}" for one in (found.accepted, found.others))
    points, ratio = found.difference, found.ratio
    return (
        *rates,
        "-"
        if points is None
        else f"{100 * points.value:+.1f} points ({100 * points.low:+.1f} to {100 * points.high:+.1f})",
        "-" if ratio is None else f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
        _VERDICTS[found.verdict],
    )
