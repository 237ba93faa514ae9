# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]

# %% [markdown]
# # Expand a target list
# The customers are known; who else is like them? Whoever is not a customer yet is no "no": the
# estimators of `models.positive_unlabelled` learn from wins and unlabelled accounts, and hiding some of the
# seeds shows how many of them a list would find again.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from features.catalogue import learn_catalogue
from features.mapping import load_config
from features.point_in_time import build_features
from models.positive_unlabelled import HiddenAtRandomClassifier, out_of_fold
from training.api import market_tables
from training.fit import select_features
from training.labels import known_accounts
from training.market import MarketSettings, read_truth, simulate

folder = Path(mkdtemp()) / "market"
settings = MarketSettings(accounts=2_000, seed=7)
simulate(settings, directory=folder)
config = load_config(
    Path(__file__).parents[1] / "configs" / "simulated_market.toml", overrides={"folder": str(folder)}
)
tables = market_tables(folder, config=config)

# %% [markdown]
# ## Seeds and universe
# Every account that is known, with the facts that a bought list has as well: no behaviour.

# %%
universe = known_accounts(tables, as_of=settings.end)
catalogue = select_features(
    learn_catalogue(tables, cutoff=settings.end), kind="fit", settings=config.model.fit
)
X = build_features(tables, universe, catalogue=catalogue).to_numpy(dtype=float)
deals = tables.read("opportunities")
customers = set(deals.loc[deals["outcome"] == "won", "account_id"])
seed = universe["account_id"].isin(customers).to_numpy()

# %% [markdown]
# ## Hide a part of the seeds, and look for them
# The figure to beat is what any order of the accounts would find. Which share of the accounts that would buy
# has bought already is not known: the order does not depend on it, and with a label rate of 1 each chance is
# the least that it can be.

# %%
learner = HiddenAtRandomClassifier(label_rate=1.0)
hidden = seed & (np.random.default_rng(0).random(len(seed)) < 0.3)
chances = out_of_fold(learner, X, (seed & ~hidden).astype(int))
others = ~seed | hidden
listed = np.flatnonzero(others)[np.argsort(-chances[others])][:200]
found, by_chance = hidden[listed].sum() / hidden.sum(), 200 / others.sum()
pd.Series({"found again in 200 accounts": found, "any order": by_chance})

# %% [markdown]
# ## The list
# All seeds are learned from, and those who are customers already are left out.

# %%
chances = out_of_fold(learner, X, seed.astype(int))
target_list = (
    universe[["account_id"]]
    .assign(chance_at_least=chances)[~seed]
    .sort_values("chance_at_least", ascending=False)
    .head(200)
    .reset_index(drop=True)
)
truth = read_truth(folder).accounts.set_index("account_id")["probability"]
comparison = pd.Series(
    {"true chance to win, listed": target_list["account_id"].map(truth).mean(), "all": truth.mean()}
)
target_list.head(10), comparison
