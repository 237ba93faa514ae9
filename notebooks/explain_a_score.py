# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]

# %% [markdown]
# # Explain an account, and a model
# The reasons of one score add up to it exactly; the reasons of all scores show what a model has learned.

# %%
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd

from features.mapping import load_config
from features.point_in_time import build_features
from models.scoring import Scorer
from training.api import market_tables, train_fit
from training.labels import known_accounts
from training.market import MarketSettings, read_truth, simulate

folder = Path(mkdtemp()) / "market"
settings = MarketSettings(accounts=800, seed=7)
simulate(settings, directory=folder)
config = load_config(
    Path(__file__).parents[1] / "configs" / "simulated_market.toml", overrides={"folder": str(folder)}
)
tables = market_tables(folder, config=config)
trained = train_fit(tables, cutoff=settings.end, config=config)
scorer = Scorer(trained.bundle)

# %% [markdown]
# ## One account
# `logit = baseline + contributions`, to the last digit that a float holds; the probability follows from it.

# %%
keys = known_accounts(tables, as_of=settings.end)
rows = build_features(tables, keys, catalogue=trained.bundle.catalogue)
scores = scorer.score_frame(rows)
best = int(np.argmax(scores["probability"]))
why = scorer.explain_row(rows.to_numpy()[best])
reasons = (*why.reasons_for, *why.reasons_against)
told = pd.DataFrame(
    [(reason.sentence(), reason.value, reason.contribution) for reason in reasons],
    columns=["reason", "value", "log-odds"],
)
told

# %% [markdown]
# ## All accounts
# The mean absolute contribution of each feature, and how the strongest one's moves with its value.

# %%
contributions = pd.DataFrame(
    scorer.score(rows.to_numpy()).contributions, columns=list(trained.bundle.catalogue.names)
)
importance = contributions.abs().mean().sort_values(ascending=False)
strongest = importance.index[0]
effect = contributions[strongest].groupby(rows[strongest].to_numpy()).mean()
importance.head(10), effect.head(10)

# %% [markdown]
# ## How far from the truth?
# Nobody can know it in a real market; here it is stored apart from the tables.

# %%
truth = read_truth(folder).accounts.set_index("account_id")["probability"]
comparison = scores.droplevel("as_of")[["probability"]].join(truth.rename("truth"))
comparison.corr(method="spearman")
