# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # First scores
# From canonical tables to an explained score, with pandas frames at every step. The tables are a small
# simulated market; with your own, start from `Workspace.default().tables()`.

# %%
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from features.catalogue import learn_catalogue
from features.mapping import load_config
from features.point_in_time import build_features
from models.scoring import Scorer
from training.fit import train_fit
from training.labels import fit_labels, intent_labels
from training.market import MarketSettings, read_truth, simulate
from training.market_check import market_tables

folder = Path(mkdtemp()) / "market"
settings = MarketSettings(accounts=1_000, seed=7)
simulate(settings, directory=folder)
config = load_config(
    Path(__file__).parents[1] / "configs" / "simulated_market.toml", overrides={"folder": str(folder)}
)
tables = market_tables(folder, config=config)
tables.read("accounts").head()

# %% [markdown]
# ## Features as of a moment
# Any list of `(account_id, as_of)`; only rows with `known_at < as_of` are read.

# %%
as_of = settings.end - timedelta(days=90)
catalogue = learn_catalogue(tables, cutoff=as_of)
keys = pd.DataFrame({"account_id": ["account-0000001", "account-0000002"], "as_of": as_of})
features = build_features(tables, keys.astype({"as_of": "datetime64[us]"}), catalogue=catalogue)
features.iloc[:, :8]

# %% [markdown]
# ## Labels
# What was known at the cutoff: fit from deals that were won or lost, intent from snapshots.

# %%
deals = fit_labels(tables, cutoff=settings.end, settings=config.labels.fit)
snapshots = intent_labels(tables, cutoff=settings.end, settings=config.labels.intent)
pd.Series(deals.counts), snapshots["label"].mean()

# %% [markdown]
# ## Train, score, explain

# %%
trained = train_fit(tables, cutoff=settings.end, config=config)
scorer = Scorer(trained.bundle)
rows = build_features(
    tables,
    keys.assign(as_of=settings.end).astype({"as_of": "datetime64[us]"}),
    catalogue=trained.bundle.catalogue,
)
scores = scorer.score_frame(rows)
scores

# %%
why = scorer.explain_row(rows.to_numpy()[0])
pd.DataFrame(
    [(reason.sentence, reason.contribution) for reason in (*why.reasons_for, *why.reasons_against)],
    columns=["reason", "log-odds"],
)

# %% [markdown]
# ## How far from the truth?
# Nobody can know it in a real market; here it is stored apart from the tables.

# %%
truth = read_truth(folder).accounts.set_index("account_id")["probability"]
comparison = scores.droplevel("as_of")[["probability"]].join(truth.rename("truth"))
comparison
