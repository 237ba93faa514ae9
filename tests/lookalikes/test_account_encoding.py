"""Accounts as numbers: pieces are the whole, nothing known is nothing said, blocks do not know each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted_likeness import planted_frame, planted_universe

from features.tables import Attribute
from features.universe import Universe
from models.lookalikes.encoding import learn_encoding
from models.lookalikes.nearest import nearest_seeds
from models.lookalikes.texts import TextSpace

UNIVERSE = planted_universe(planted_frame(accounts=300))
ENCODING = learn_encoding(UNIVERSE)
WHOLE = ENCODING.encode(UNIVERSE.rows)


def test_pieces_of_the_universe_are_encoded_as_the_whole() -> None:
    pieces = [ENCODING.encode(UNIVERSE.rows.slice(start, 70)) for start in range(0, 300, 70)]
    assert np.vstack(pieces).tobytes() == WHOLE.tobytes()
    some = np.array([3, 250, 7])
    assert ENCODING.encode(UNIVERSE.rows.take(some)).tobytes() == WHOLE[some].tobytes()


def test_what_is_not_known_is_the_mean_of_what_is() -> None:
    employees = np.array(UNIVERSE.rows.column("employees").to_pylist(), dtype=float)
    place = [one.name for one in ENCODING.attributes].index("employees")
    columns = (ENCODING.owners == place) & (ENCODING.roles != "missing")
    assert (WHOLE[np.isnan(employees)][:, columns] == 0.0).all()
    assert np.abs(WHOLE[~np.isnan(employees)][:, columns].mean(axis=0)).max() < 1e-5


def test_a_block_is_the_same_without_the_others() -> None:
    alone = UNIVERSE.without(["industry", "employees"])
    place = [one.name for one in ENCODING.attributes].index("technologies")
    own = learn_encoding(alone)
    at = [one.name for one in own.attributes].index("technologies")
    found = own.encode(alone.rows)[:, own.owners == at]
    assert found.tobytes() == np.ascontiguousarray(WHOLE[:, ENCODING.owners == place]).tobytes()


def test_numbers_count_by_rank_alone() -> None:
    """A column and its logarithm are one and the same, up to 257 values; between more of them, nearly."""
    frame = planted_frame(accounts=200)
    one, other = (
        planted_universe(part) for part in (frame, frame.assign(employees=np.log(frame["employees"])))
    )
    assert np.allclose(
        learn_encoding(one).encode(one.rows), learn_encoding(other).encode(other.rows), atol=1e-6
    )


def test_every_block_has_the_same_spread() -> None:
    for place, block in enumerate(ENCODING.blocks):
        inside = (ENCODING.owners == place) & ~np.isin(ENCODING.roles, ["rank", "missing"])
        known = UNIVERSE.rows.column(block.attribute.name).is_valid().to_numpy()
        assert WHOLE[known][:, inside].var(axis=0).sum() == pytest.approx(0.25, rel=1e-3)


def test_an_attribute_that_tells_nothing_apart_has_no_block() -> None:
    assert "customer_tier" not in [one.name for one in ENCODING.attributes]


TEXTS = [
    f"{kind} maker number {number}. It is based in {place}."
    for number in range(30)
    for kind, place in (("solar panel", "Madrid"), ("fishing boat", "Oslo"), ("fishing boat", "Madrid"))
]


def test_the_words_of_a_text_add_up_to_its_product_with_any_weights() -> None:
    space = TextSpace.learn(TEXTS)
    assert space is not None
    weights = np.random.default_rng(0).normal(size=space.dimensions).astype(np.float32)
    both = space.telling_words(TEXTS[0], weights, most=99), space.telling_words(TEXTS[0], -weights, most=99)
    added = sum(value for _, value in both[0]) - sum(value for _, value in both[1])
    middle = np.hstack([view.middle * view.kind.weight for view in space.views])
    product = float((space.embed([TEXTS[0]])[0] + middle) @ weights)
    assert added == pytest.approx(product, abs=1e-4)


def test_texts_of_one_kind_are_near_each_other_and_no_text_is_in_the_middle() -> None:
    space = TextSpace.learn(TEXTS)
    assert space is not None
    points = space.embed([TEXTS[0], TEXTS[3], TEXTS[1], None, ""])
    assert np.linalg.norm(points[0] - points[1]) < np.linalg.norm(points[0] - points[2])
    assert (points[3:] == 0.0).all()


def test_chinese_is_read_by_its_signs() -> None:
    texts = [f"本公司生产太阳能电池，编号{k}。总部位于上海。" for k in range(30)]
    texts += [f"本公司经营渔船，编号{k}。总部位于大连。" for k in range(30)]
    space = TextSpace.learn(texts)
    assert space is not None
    points = space.embed([texts[0], texts[1], texts[31]])
    assert np.linalg.norm(points[0] - points[1]) < np.linalg.norm(points[0] - points[2])


def test_too_few_texts_make_no_space() -> None:
    assert TextSpace.learn(TEXTS[:20]) is None
    frame = pd.DataFrame({"account_id": ["a", "b"], "about": ["one text", "another"]})
    universe = Universe.from_frame(frame, attributes=[Attribute("about", "text", "about", "简介")])
    assert learn_encoding(universe).blocks == ()


@pytest.mark.parametrize("seeds", [1, 2, 40])
def test_nearest_seeds_agree_with_looking_at_each(seeds: int) -> None:
    random = np.random.default_rng(seeds)
    accounts = random.normal(size=(1_203, 6)).astype(np.float32)
    points = random.normal(size=(seeds, 6)).astype(np.float32)
    places, distances = nearest_seeds(accounts, seeds=points)
    for row in range(0, len(accounts), 101):
        apart = [float(np.linalg.norm(accounts[row].astype(float) - one.astype(float))) for one in points]
        order = sorted(range(seeds), key=lambda seed: (apart[seed], seed))[:3]
        assert places[row].tolist() == order
        assert distances[row] == pytest.approx([apart[seed] for seed in order], abs=1e-12)


def test_equally_near_seeds_come_in_their_order() -> None:
    places, _ = nearest_seeds(np.zeros((2, 3), np.float32), seeds=np.ones((5, 3), np.float32))
    assert places.tolist() == [[0, 1, 2]] * 2
