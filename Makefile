# Every target works on a fresh machine with Python 3.11 or newer. ARGS passes options on:
#   make demo ARGS="--records 200000 --broker apache"
PYTHON ?= python3
ARGS ?=
STAGE ?= dev
CDK ?= npx --yes aws-cdk@2
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate chaos fuzz bench synth diff deploy lint types check format lock clean

help: ## Show what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-8s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything in it, from the lock
$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Tandem needs Python 3.11 or newer, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.13 ...")'
	@echo "Setting up .venv (about a minute the first time)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Run the story on this machine: burst, handover, kill, proof
	@$(BIN)/tandem demo $(ARGS)

test: setup ## Run every test, on real Kafka where Java and Maven are present
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term $(ARGS)

simulate: setup ## Random schedules of the protocol; ARGS="--seed N" replays one
	@$(BIN)/python -m tests.simulation $(ARGS)

chaos: setup ## A million records on real parts under at least fifty faults (about a quarter of an hour)
	@$(BIN)/python -m tests.chaos --records 1000000 --faults 54 --session 6 --in-flight 16 $(ARGS)

fuzz: setup ## Look for input that is not told apart: a million inputs
	@$(BIN)/python -m tests.fuzz --inputs 1000000 $(ARGS)

bench: setup ## Measure speed, as ratios in one run
	@$(BIN)/tandem bench $(ARGS)

synth: setup ## Synthesise both stages into cdk.out, offline, and check them
	@$(BIN)/python app.py

diff: setup ## What a deployment would change: STAGE=dev
	@$(CDK) diff "$(STAGE)/*" $(ARGS)

deploy: setup ## Deploy a stage with the credentials at hand: STAGE=dev
	@$(CDK) deploy "$(STAGE)/*" $(ARGS)

lint: setup ## Style and architecture
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo

types: setup ## Static types
	@$(BIN)/mypy

check: lint types test ## Everything that CI runs

format: setup ## Format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup ## Renew the locks: requirements.txt (runtime) and requirements-dev.txt (everything)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove what was built, and .venv
	@rm -rf .venv build cdk.out
