# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]

# %% [markdown]
# # Explore the data
# From canonical tables to features and labels, as pandas frames, before anything is learned. The tables are a
# small simulated market; with your own, start from `Workspace.default().tables()`.

# %%
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from features.mapping import load_config
from training.api import features, labels, market_tables
from training.market import MarketSettings, simulate

folder = Path(mkdtemp()) / "market"
settings = MarketSettings(accounts=800, seed=7)
simulate(settings, directory=folder)
config = load_config(
    Path(__file__).parents[1] / "configs" / "simulated_market.toml", overrides={"folder": str(folder)}
)
tables = market_tables(folder, config=config)
accounts = tables.read("accounts")
accounts.head()

# %% [markdown]
# ## What is filled in, and for whom
# Versions of an account are rows of their own: `known_at` says from when on each could be read.

# %%
filled = accounts.notna().mean().sort_values()
versions = accounts.groupby("account_id").size()
filled, versions.describe()

# %% [markdown]
# ## Features as of a moment
# Any list of `(account_id, as_of)`; only rows with `known_at < as_of` are read.

# %%
as_of = settings.end - timedelta(days=90)
matrix = features(tables, as_of=as_of, config=config)
matrix.describe().T[["count", "mean", "50%"]]

# %% [markdown]
# ## Labels are what was known at the cutoff
# Fit from deals that were won or lost and old enough, intent from snapshots whose horizon has ended. What is
# known later is unknown, not negative.

# %%
deals = labels(tables, kind="fit", cutoff=as_of, config=config)
snapshots = labels(tables, kind="intent", cutoff=as_of, config=config)
deals["label"].mean(), snapshots.groupby("as_of")["label"].agg(["mean", "size"])

# %% [markdown]
# ## Does a trait set wins apart?
# One column at a time, with counts: what looks striking in forty accounts is seldom there in the next forty.

# %%
industries = accounts.groupby("account_id")["industry"].last()
traits = deals.join(industries, on="account_id").groupby("industry")["label"]
comparison = traits.agg(["mean", "size"]).sort_values("size", ascending=False)
comparison
