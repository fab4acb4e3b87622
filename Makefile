# One command for each thing a newcomer, a developer or an operator does. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STAGE ?= dev
PORT ?= 8000
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help run demo magic ops test check bench build package deploy clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: install it, or say where it is with PYTHON=…"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older."; exit 2; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "installing what the project needs into $(VENV) (once, about a minute)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

run: $(STAMP) ## the whole marketplace on http://127.0.0.1:PORT (8000), with demo data
	@PORT=$(PORT) exec $(BIN)/python -m infra.local

demo: $(STAMP) ## one order's whole way over HTTP, against a running `make run`
	@PORT=$(PORT) $(BIN)/python -m infra.demo

magic: $(STAMP) ## every magic amount at every provider over HTTP, against a running `make run`
	@PORT=$(PORT) $(BIN)/python -m infra.demo magic

ops: $(STAMP) ## operators' commands: make ops ARGS="status", ARGS="payouts list", ARGS="--help"
	@PORT=$(PORT) $(BIN)/python -m infra ops $(or $(ARGS),status)

month: $(STAMP) ## a month of the demo market, with all its troubles, and a report that adds up
	@$(BIN)/python -m infra.month $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

test: $(STAMP) ## all tests; with DYNAMODB_LOCAL=1 also those on Amazon's DynamoDB Local
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_OPTIONS)

histories: $(STAMP) ## 10,000 random lives of money with faults (COUNT=…, FROM=seed)
	@$(BIN)/python -m tests.proofs.histories $(or $(COUNT),10000) $(or $(FROM),0)

check: $(STAMP) ## style, types and the house rules: what CI runs before the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP) ## round trips, request units, CPU, cold start, and many clients at once
	@$(BIN)/python -m infra.bench

build: package ## the same as package

package: $(STAMP) ## the template and the zip of STAGE (dev) in build/STAGE
	@$(BIN)/python -m infra.build --stage $(STAGE)

deploy: $(STAMP) ## package STAGE and hand it to CloudFormation (needs BUCKET=… for the zip)
	@$(BIN)/python -m infra.build deploy --stage $(STAGE) $(if $(BUCKET),--bucket $(BUCKET))

clean: ## remove what was built and the local data, not the virtual environment
	@rm -rf build .local .coverage .pytest_cache .mypy_cache .ruff_cache
