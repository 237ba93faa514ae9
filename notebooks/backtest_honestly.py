# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]

# %% [markdown]
# # Backtest honestly
# For a past date: learn from what was known by then, predict what came after, and put our model and any
# classifier of scikit-learn's interface through the same. A random split would flatter both.

# %%
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from sklearn.ensemble import ExtraTreesClassifier

from features.mapping import load_config
from training.api import backtest_estimator, features, labels, learning_curve, market_tables
from training.market import MarketSettings, simulate

folder = Path(mkdtemp()) / "market"
settings = MarketSettings(accounts=1_500, seed=7)
simulate(settings, directory=folder)
market = Path(__file__).parents[1] / "configs" / "simulated_market.toml"
config = load_config(market, overrides={"folder": str(folder)})
quick = config.backtest.model_copy(update={"replicates": 100})
config = config.model_copy(update={"backtest": quick})
tables = market_tables(folder, config=config)

# %% [markdown]
# ## What there is to learn from
# Deals whose outcome was known at the cutoff, and features that read rows with `known_at < as_of` only.

# %%
cutoff = settings.end - timedelta(days=365)
y = labels(tables, kind="fit", cutoff=cutoff, config=config)
X = features(tables, keys=y, config=config, kind="fit", cutoff=cutoff)
X.shape, y["label"].mean()

# %% [markdown]
# ## Any classifier
# It learns at the cutoff and is asked about the deals that were opened in the half year after. Beside it are
# our baselines, each with its interval and what chance would give.

# %%
forest = ExtraTreesClassifier(n_estimators=100, min_samples_leaf=5, random_state=0)
report = backtest_estimator(forest, tables, config=config, kind="fit", cutoffs=[cutoff])
comparison = report.metrics()
comparison

# %% [markdown]
# ## Is it better?
# Differences on the same rows, resampled by account: where the interval holds zero, nobody can say.

# %%
report.differences()

# %% [markdown]
# ## Would more deals help?
# Our model again, from samples of the accounts that were known then and from all of them, beside a logistic
# regression on the same samples. A curve that is flat at its end asks for other facts, not for more deals.

# %%
curve = learning_curve(tables, config=config, key="fit", cutoff=cutoff, sizes=(40, 80), draws=2)
curve[["accounts", "events", "samples", "ranker", "value", "low", "high", "base_rate"]]
