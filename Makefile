.DEFAULT_GOAL := help
PYTHON ?= python3
STACK ?= dev
BIN := .venv/bin
READY := .venv/ready
# Start-up is fast only with bytecode caches; an empty value switches them on.
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(READY): requirements/dev.txt requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python must be 3.11 or newer, got `$(PYTHON) --version`: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Building .venv (once)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/dev.txt
	@touch $(READY)

demo: $(READY) ## the whole pipeline on the local cloud, with a verdict
	@$(BIN)/python -m local demo

local: $(READY) ## the local cloud, until Ctrl-C
	@$(BIN)/python -m local up

policy: $(READY) ## hold STACK against the policy pack, before and after its first deployment
	@$(BIN)/python -m local policy --stack $(STACK)

docs: $(READY) ## write the generated parts of the documents anew
	@$(BIN)/python -m docs.generate

test: $(READY) ## all tests
	@$(BIN)/python -m pytest

lint: $(READY) ## style and likely bugs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## static types
	@$(BIN)/mypy

check: lint types test ## lint, types and tests: what CI runs

lock: $(READY) ## compile the pinned requirements anew
	@UV_CUSTOM_COMPILE_COMMAND="make lock" ./requirements/lock

.PHONY: help demo local policy docs test lint types check lock
