"""Every candidate is kept or left out for one reason, quotas hold, and only the input counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.lists.constraints import (
    CUSTOMER,
    OPEN_OPPORTUNITY,
    OPTED_OUT,
    Candidate,
    Constrained,
    RuleCount,
    constrain,
    where_relation,
)
from serving.lists.settings import Cap, Filters, Quota, Rules, WhereRule

NOTHING = Rules(customers=False, open_opportunities=False, opted_out=False)


def account(name: str, score: float | None = 1.0, **facts: Any) -> Candidate:
    return Candidate(name, score, **facts)


def kept(found: Constrained) -> list[str]:
    return [one.account_id for one in found.kept]


def reasons(found: Constrained) -> dict[str, str]:
    return {drop.account_id: drop.rule for drop in found.drops}


def test_the_best_are_kept_and_equal_ones_go_by_identifier() -> None:
    given_ones = [account("c", 2), account("b", 1), account("a", 2), account("d", None)]
    found = constrain(given_ones, rules=NOTHING, size=3)
    assert kept(found) == ["a", "c", "b"]
    assert [(drop.account_id, drop.rule, drop.detail) for drop in found.drops] == [
        ("d", "size", "the list has its 3")
    ]


PARTNERS = WhereRule(name="partners", attribute="partner", values=["true"])


@pytest.mark.parametrize(
    ("facts", "rules", "rule"),
    [
        ({"relations": {CUSTOMER}}, Rules(), "customers"),
        ({"relations": {OPEN_OPPORTUNITY}}, Rules(), "open opportunities"),
        ({"relations": {OPTED_OUT}}, Rules(), "opted out"),
        ({"relations": {where_relation("partners")}}, Rules(where=[PARTNERS]), "partners"),
        ({"relations": {where_relation("partners"), OPTED_OUT}}, Rules(where=[PARTNERS]), "opted out"),
        ({"industry": "retail"}, Rules(filters=Filters(industries=["Banking"])), "industry"),
        ({}, Rules(filters=Filters(industries=["Banking"])), "industry not known"),
        ({"country": "FR"}, Rules(filters=Filters(countries=["DE"])), "country"),
        ({"territory": "south"}, Rules(filters=Filters(territories=["North"])), "territory"),
        ({"owner": "Ben"}, Rules(filters=Filters(owners=["Ann"])), "owner"),
        ({"technologies": ["crm"]}, Rules(filters=Filters(technologies=["chat"])), "technology"),
        ({}, Rules(filters=Filters(technologies=["chat"])), "technology not known"),
        ({"employees": 9}, Rules(filters=Filters(employees_from=10)), "employees"),
        ({"employees": 21}, Rules(filters=Filters(employees_to=20)), "employees"),
        ({}, Rules(filters=Filters(employees_to=20)), "employees not known"),
        ({"score": 0.4}, Rules(minimum_score=0.5), "minimum score"),
        ({"score": None}, Rules(minimum_score=0.5), "minimum score"),
        ({"domain": "a.example"}, Rules(), "listed"),
        ({"account_id": "listed"}, Rules(), "listed"),
        ({"account_id": "off"}, Rules(), "taken off by hand"),
    ],
)
def test_a_rule_leaves_an_account_out_by_its_name(facts: dict[str, Any], rules: Rules, rule: str) -> None:
    one = replace(account("a"), **facts)
    found = constrain([one], rules=rules, excluded={"listed", "a.example"}, taken_off={"off"})
    assert reasons(found) == {one.account_id: rule}


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        ({"relations": {CUSTOMER, OPEN_OPPORTUNITY, OPTED_OUT, where_relation("partners")}}, NOTHING),
        ({"industry": "BANKING"}, Rules(filters=Filters(industries=["Banking"]))),
        ({"technologies": ["CRM", "x"]}, Rules(filters=Filters(technologies=["crm", "chat"]))),
        ({"employees": 10}, Rules(filters=Filters(employees_from=10, employees_to=10))),
        ({"score": 0.5}, Rules(minimum_score=0.5)),
    ],
)
def test_who_breaks_no_rule_is_kept(facts: dict[str, Any], rules: Rules) -> None:
    assert kept(constrain([replace(account("a"), **facts)], rules=rules)) == ["a"]


def test_one_of_each_parent_is_the_best_that_has_a_place() -> None:
    rules = Rules(parent_column="parent", segment_quotas=[Quota(name="x", most=0)])
    found = constrain(
        [
            account("a", 9, parent="p", segment="x"),
            account("b", 8, parent="p"),
            account("c", 7, parent="p"),
            account("d", 6),
            account("e", 5),
        ],
        rules=rules,
    )
    assert kept(found) == ["b", "d", "e"]
    assert [(drop.account_id, drop.detail) for drop in found.drops] == [
        ("a", "x has its 0"),
        ("c", "b has the same parent, p"),
    ]


def test_quotas_of_owners_and_shares() -> None:
    rules = Rules(
        owner_quotas=[Quota(name="Ann", most=2)],
        most_per_owner=1,
        caps=[Cap(fact="industry", share=0.5)],
    )
    found = constrain(
        [
            *[account(f"ann{n}", 9, owner="Ann", industry="x") for n in range(3)],
            *[account(f"ben{n}", 8, owner="Ben", industry="y") for n in range(2)],
            account("cat", 7, industry="x"),
            account("dan", 6, industry=None),
        ],
        rules=rules,
        size=5,
    )
    assert kept(found) == ["ann0", "ann1", "ben0", "dan"]
    assert reasons(found) == {
        "ann2": "quota of owner",
        "ben1": "quota of owner",
        "cat": "share of one industry",
    }


def test_a_pilot_has_one_industry() -> None:
    found = constrain(
        [account("a", industry="x"), account("b", industry="y"), account("c")], rules=NOTHING, industry="X"
    )
    assert reasons(found) == {"b": "industry of the pilot", "c": "industry of the pilot not known"}


def test_what_is_pinned_takes_its_place_first_and_breaks_rules_openly() -> None:
    found = constrain(
        [account("a", 9), account("b", 1, relations={CUSTOMER}), account("c", 8)],
        rules=Rules(),
        size=2,
        pinned={"b"},
    )
    assert kept(found) == ["a", "b"]
    assert reasons(found) == {"c": "size"}
    assert [(one.account_id, one.rule) for one in found.conflicts] == [("b", "customers")]


def test_drops_are_counted_with_the_best_few() -> None:
    found = constrain([account(f"a{n}", n, relations={CUSTOMER}) for n in range(7)], rules=Rules())
    assert found.counted() == (RuleCount("customers", 7, ("a6", "a5", "a4", "a3", "a2")),)


FEW = st.sampled_from(["x", "y", None])
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        account_id=st.sampled_from([f"a{n}" for n in range(30)]),
        score=st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0]),
        segment=FEW,
        industry=FEW,
        owner=FEW,
        parent=st.sampled_from(["p", "q", None, None]),
        employees=st.none() | st.integers(1, 3),
        relations=st.sampled_from([(), (), (CUSTOMER,)]),
    ),
    unique_by=lambda one: one.account_id,
    max_size=25,
)
COUNT = st.integers(0, 6)


@st.composite
def some_rules(draw: st.DrawFn) -> Rules:
    return Rules(
        customers=draw(st.booleans()),
        minimum_score=draw(st.none() | st.just(0.5)),
        parent_column="parent",
        filters=Filters(employees_from=draw(st.none() | st.just(2))),
        segment_quotas=[Quota(name=name, most=draw(COUNT)) for name in draw(st.sets(st.sampled_from("xy")))],
        owner_quotas=[Quota(name=name, most=draw(COUNT)) for name in draw(st.sets(st.sampled_from("xy")))],
        most_per_owner=draw(st.none() | COUNT),
        caps=draw(st.sampled_from([[], [Cap(fact="industry", share=0.5)]])),
    )


SIZE = st.none() | st.integers(0, 12)


@given(CANDIDATES, some_rules(), SIZE, st.sets(st.sampled_from([f"a{n}" for n in range(30)]), max_size=3))
def test_everybody_has_one_fate_and_no_quota_is_exceeded_but_by_pins(
    candidates: list[Candidate], rules: Rules, size: int | None, pinned: set[str]
) -> None:
    found = constrain(candidates, rules=rules, size=size, pinned=pinned)
    names = kept(found) + [drop.account_id for drop in found.drops]
    assert sorted(names) == sorted(one.account_id for one in candidates)
    assert not pinned & set(reasons(found))
    assert sum(rule.dropped for rule in found.counted()) == len(found.drops)
    order = [(one.score is None, -(one.score or 0), one.account_id) for one in found.kept]
    assert order == sorted(order)
    free = [one for one in found.kept if one.account_id not in pinned]
    held = [one for one in found.kept if one.account_id in pinned]

    def within(fact: str, value: str | None, most: int) -> bool:
        chosen, before = (Counter(getattr(one, fact) for one in some)[value] for some in (free, held))
        return chosen <= max(0, most - before)

    assert all(within("segment", quota.name, quota.most) for quota in rules.segment_quotas)
    for owner in ("x", "y"):
        own = {quota.name: quota.most for quota in rules.owner_quotas}.get(owner, rules.most_per_owner)
        assert own is None or within("owner", owner, own)
    if size is not None:
        assert len(free) <= max(0, size - len(held))
        for cap in rules.caps:
            for value in ("x", "y", None):
                assert within(cap.fact, value, floor(cap.share * size))
    parents = Counter(one.parent for one in free if one.parent)
    assert all(count == 1 for count in parents.values())
    assert not set(parents) & {one.parent for one in held}


@given(CANDIDATES, some_rules(), SIZE, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_changes_nothing(
    candidates: list[Candidate], rules: Rules, size: int | None, random: Any
) -> None:
    found = constrain(candidates, rules=rules, size=size)
    random.shuffle(candidates)
    assert constrain(candidates, rules=rules, size=size) == found


@given(CANDIDATES, some_rules(), SIZE, st.sampled_from("xy"), st.integers(1, 5))
def test_a_higher_quota_takes_nobody_of_its_own_segment_off(
    candidates: list[Candidate], rules: Rules, size: int | None, segment: str, more: int
) -> None:
    raised = [
        quota.model_copy(update={"most": quota.most + more}) if quota.name == segment else quota
        for quota in rules.segment_quotas
    ]
    before = constrain(candidates, rules=rules, size=size)
    after = constrain(candidates, rules=rules.model_copy(update={"segment_quotas": raised}), size=size)
    own = {one.account_id for one in before.kept if one.segment == segment}
    assert own <= set(kept(after))


@given(CANDIDATES, some_rules(), st.integers(0, 12), st.integers(1, 5))
def test_a_longer_list_without_shares_takes_nobody_off(
    candidates: list[Candidate], rules: Rules, size: int, more: int
) -> None:
    rules = rules.model_copy(update={"caps": []})
    before, after = (constrain(candidates, rules=rules, size=each) for each in (size, size + more))
    assert set(kept(before)) <= set(kept(after))


@given(CANDIDATES, some_rules(), SIZE)
def test_what_was_kept_is_kept_again(candidates: list[Candidate], rules: Rules, size: int | None) -> None:
    """So that a draw that was constrained already loses nobody when it is constrained again."""
    found = constrain(candidates, rules=rules, size=size)
    assert constrain(found.kept, rules=rules, size=size) == Constrained(found.kept, (), ())
