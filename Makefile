# Everything a user or a contributor runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
SERVE ?= 1
PORT ?= 3000
VENV := .venv
BIN := $(VENV)/bin

# Dependencies that would phone home are told not to.
export BENTOML_DO_NOT_TRACK := True
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1

.PHONY: help setup demo test verify yardsticks bench bento bento_run screenshots notebooks lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "spearfish needs Python 3.11 or newer; got " + sys.version.split()[0] + ". Run: make setup PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies (minutes the first time, seconds after)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { echo "LightGBM cannot load libgomp.so.1. Install it with: apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp (Fedora)"; exit 2; }
	@touch $@

setup: $(VENV)/.installed ## make .venv with the command `spearfish` in it

demo: setup ## simulate a market, train, explain and serve on 127.0.0.1:3000 (SERVE=0 ends after the summary)
	@$(BIN)/spearfish demo --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

test: setup ## run the whole test suite, style and types included
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Peers are measured against, never used: they come on top of the locked versions, for the campaigns alone.
$(VENV)/.peers: $(VENV)/.installed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation \
		--constraint <(sed -e '/--hash/d' -e 's/ \\$$//' requirements.lock) --editable '.[peers]'
	@touch $@

# A campaign writes one result; two run at a time, the longest begin first so that neither core waits at the
# end. Those of real sets need ../shared/data, the others nothing.
MARKETS := interval_coverage simulated_market few_rows hidden_positives lookalike_markets hazards
FAULTS := training_kills ingest_kills activity_kills forget_kills
REAL := lookalike_companies x_education_leads online_shoppers hubspot_free_tier small_tables audit job_titles identity

simulated_market := checks.market --seeds 10
few_rows := checks.few_rows --kind both --accounts 4000 --sizes 40 80 200
hidden_positives := checks.hidden_positives --seeds 10
interval_coverage := checks.interval_coverage --markets 200
hazards := checks.hazards --seeds 5
lookalike_markets := lookalikes.markets --seeds 10
lookalike_companies := lookalikes.companies
ingest_kills := checks.ingest_kills --kills 80
activity_kills := checks.activity_kills --kills 40
forget_kills := checks.forget_kills --kills 40
training_kills := checks.training_kills --kills 20
hubspot_free_tier := checks.hubspot
identity := checks.identity
job_titles := checks.titles --tries
audit := checks.audit --seeds 3
x_education_leads := checks.undated x_education_leads
online_shoppers := checks.undated online_shoppers
small_tables := checks.small_tables --draws 6

.PHONY: $(MARKETS) $(FAULTS) $(REAL)
$(MARKETS) $(FAULTS) $(REAL): setup $(VENV)/.peers
	@$(BIN)/python -m training.$($@) --out results/$@.json >/dev/null

verify: setup $(VENV)/.peers ## run the campaigns of markets and kills, two at a time, and publish their figures
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(MARKETS) $(FAULTS)
	@$(BIN)/python -m training.publishing

yardsticks: setup $(VENV)/.peers ## measure on real sets of data beside other learners, and publish the figures
	@test -d ../shared/data || { echo "yardsticks need the sets of data beside this folder; got no ../shared/data. What needs none: make verify"; exit 2; }
	@$(MAKE) --no-print-directory --jobs=2 --keep-going $(REAL)
	@$(BIN)/python -m training.publishing

bench: ingest_speed lookalike_speed list_page serving_speed ## measure speed: ingest beside DuckDB's COPY, lookalikes in a million accounts, the service

bento: setup ## build the bento of the service; serving/docs/operation.md tells how to run it
	@$(BIN)/bentoml build -f serving/bentofile.yaml .

.PHONY: ingest_speed lookalike_speed list_page serving_speed serving_load serving_replay
ingest_speed: setup
	@$(BIN)/python tests/bench/ingest_bench.py --rows 10000000 --out results/$@.json

lookalike_speed: setup
	@PYTHONPATH=. $(BIN)/python tests/bench/lookalike_bench.py --out results/$@.json

# Alone on idle cores: a served market beside an empty endpoint and MLflow's server, a million accounts in a
# file; ten minutes of load with kills and swaps; a thousand answers computed again.
list_page screenshots serving_speed serving_load serving_replay bento_run: export PYTHONPATH := .:tests/serving:tests/load
list_page: setup
	@$(BIN)/python tests/bench/list_page_bench.py --out results/$@.json

serving_speed: setup
	@$(BIN)/python tests/bench/serving_bench.py --job-accounts 1000000 --out results/$@.json

serving_load: setup
	@$(BIN)/python tests/load/serving_load.py --minutes 10 --out results/$@.json

serving_replay: setup
	@$(BIN)/python tests/load/serving_replay.py --answers 1000 --out results/$@.json

# Build, install in an empty environment, serve, ask.
bento_run: setup
	@$(BIN)/python tests/load/bento_run.py

screenshots: setup ## look at the page anew, for the pictures of the README
	@$(BIN)/python tests/page/screenshots.py

notebooks: setup ## run the notebooks and keep them, outputs included, in notebooks/executed
	@$(BIN)/python -m training.notebooks

lock: setup ## resolve the floors of pyproject.toml anew (needs uv); hashes, no addresses
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --extra dev pyproject.toml --output-file requirements.lock

clean: ## remove what the other commands made
	rm -rf $(VENV) workspace .pytest_cache .mypy_cache .ruff_cache
