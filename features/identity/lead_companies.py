"""Companies that only leads name, matched to the accounts of the other sources.

Turns accounts made of what leads say (a company, a web site, the domain of an address) into identities: the
account that each speaks of. Time rule: who is who is told by all that is known today, as in `merging`. Null
rule: what says too little, or speaks of several accounts, stays an account of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from features.identity.matching import AccountMatcher, MatchSettings
from features.identity.resolving import Identities
from features.identity.views import NAMED_BY_LEAD

__all__ = ["each_its_own", "joined", "match_leads"]

_COLUMNS = ["account_id", "identity", "rule", "score"]


def each_its_own(accounts: pd.DataFrame) -> Identities:
    """The identities of accounts of which none stands for another."""
    names = accounts["account_id"]
    identity = pd.DataFrame({"account_id": names, "identity": names, "rule": "", "score": 1.0})
    return Identities(identity, pd.DataFrame())


def match_leads(
    leads: pd.DataFrame,
    *,
    accounts: pd.DataFrame,
    found: Identities,
    settings: MatchSettings,
    decisions: Mapping[tuple[str, str], bool],
) -> Identities:
    """The identities of those leads' companies that are among the accounts, and pairs to look at.

    leads, accounts: as for `resolve`. found: who stands for whom among the accounts; those that stand for
    others are compared. decisions: as for `resolve`; one goes before every rule.
    """
    identity = dict(zip(found.identity["account_id"], found.identity["identity"], strict=True))
    standing = accounts[accounts["account_id"].isin(set(identity.values()))]
    decided = _decided(decisions, leads=set(leads["account_id"]), identity=identity)
    if leads.empty or standing.empty:
        return Identities(decided, pd.DataFrame())
    records = leads.rename(columns={"account_id": "record_id"})
    matches = AccountMatcher(standing, settings=settings).match(records)
    matched, review = (
        _undecided(pairs, decisions=decisions, decided=set(decided["account_id"]))
        for pairs in (matches.matched, matches.review)
    )
    by_rule = matched.rename(columns={"account_id": "identity", "record_id": "account_id"})
    pairs = pd.concat([decided, by_rule]) if len(decided) else by_rule
    named = pairs.assign(rule=[f"{NAMED_BY_LEAD}, {rule}" for rule in pairs["rule"]])
    return Identities(named[_COLUMNS].sort_values("account_id"), review)


def _undecided(
    pairs: pd.DataFrame, *, decisions: Mapping[tuple[str, str], bool], decided: set[str]
) -> pd.DataFrame:
    """The pairs of leads' companies that no person has told to be the same as an account, or another."""
    both = zip(pairs["record_id"], pairs["account_id"], strict=True)
    kept = [
        record not in decided and decisions.get((min(record, account), max(record, account))) is not False
        for record, account in both
    ]
    return pairs.loc[pd.Series(kept, index=pairs.index, dtype=bool)]


def _decided(
    decisions: Mapping[tuple[str, str], bool], *, leads: set[str], identity: Mapping[str, str]
) -> pd.DataFrame:
    """What a person said is the same, with the account that stands for the one that was meant."""
    both = [pair for pair, same in sorted(decisions.items()) if same]
    turned = [pair if pair[0] in leads else pair[::-1] for pair in both]
    rows = [
        (lead, identity[account], "decision", 1.0)
        for lead, account in turned
        if lead in leads and account in identity
    ]
    return pd.DataFrame(rows, columns=_COLUMNS).drop_duplicates("account_id")


def joined(found: Identities, matched: Identities) -> Identities:
    """Both, one below the other."""
    parts = [one for one in (found.identity, matched.identity) if len(one)]
    reviews = [one for one in (found.review, matched.review) if len(one)]
    return Identities(
        pd.concat(parts, ignore_index=True) if parts else found.identity,
        pd.concat(reviews, ignore_index=True) if reviews else found.review,
    )
