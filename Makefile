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

.PHONY: help setup demo test verify lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "spearfish needs Python 3.11 or newer; got " + sys.version.split()[0] + ". Run: make setup PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies (minutes the first time, seconds after)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || { echo "LightGBM cannot load libgomp.so.1. Install it with: apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp (Fedora)"; exit 2; }
	@touch $@

setup: $(VENV)/.installed ## make .venv with the command `spearfish` in it

clean: ## remove what the other commands made
	rm -rf $(VENV) workspace .pytest_cache .mypy_cache .ruff_cache
