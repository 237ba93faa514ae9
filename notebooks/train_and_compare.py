# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]

# %% [markdown]
# # Train and compare in MLflow
# Every training is a run with its parameters, figures, report and model. Here a workspace trains its intent
# model twice, the second time on company facts and researched topics alone.

# %%
from pathlib import Path
from tempfile import mkdtemp

import mlflow

from features.ingest import ingest
from features.mapping import Config, load_config
from features.workspace import Workspace
from training.market import MarketSettings, simulate
from training.train import train

home = Path(mkdtemp())
simulate(MarketSettings(accounts=500, seed=7), directory=home / "market")
config = load_config(
    Path(__file__).parents[1] / "configs" / "simulated_market.toml",
    overrides={"folder": str(home / "market")},
)
workspace = Workspace(home / "workspace")
ingest(config, workspace=workspace)

# %% [markdown]
# A config is a frozen document: `changed` makes another one of it, as `[model.intent]` in a file would.


# %%
def changed(config: Config, **intent: object) -> Config:
    learning = config.model.intent.model_copy(update=intent)
    no_fit = config.labels.fit.model_copy(update={"enabled": False})
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"intent": learning}),
            "labels": config.labels.model_copy(update={"fit": no_fit}),
        }
    )


# Without models of parts of the accounts, which would calibrate a little better and take most of the time.
quick = {"max_rounds": 40, "crossed_folds": 0}
first = train(workspace, config=changed(config, **quick))
second = train(workspace, config=changed(config, **quick, groups=("firmographic", "topics")))

# %% [markdown]
# ## Side by side
# The figures are those of later slices, which also chose the number of trees: `backtest` measures on rows
# that no choice has read.

# %%
mlflow.set_tracking_uri(workspace.mlflow_uri)
runs = mlflow.search_runs(search_all_experiments=True)
comparison = runs.set_index("run_id")[
    ["params.groups", "metrics.roc_auc", "metrics.roc_auc_low", "metrics.roc_auc_high", "metrics.pr_auc"]
]
comparison

# %% [markdown]
# The reports are pages to read; `spearfish promote` makes the newest models what is served.

# %%
first.report, second.report
