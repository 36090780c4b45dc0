.DEFAULT_GOAL := help
PYTHON ?= python3
STACK ?= dev
# What .venv has: everything, or requirements.txt, which is all that an update, its review and the operator's commands need.
REQUIREMENTS ?= requirements/dev.txt
BIN := .venv/bin
READY := .venv/ready
PACK_READY := policy/venv/ready
# Levels and exemptions of a stack, if it has any: docs/deploying.md, section 2.
PACK_CONFIG = $(addprefix --policy-pack-config ,$(wildcard Pulumi.$(STACK).policy.json))
PREVIEWED = build/review/$(STACK)
ENGINE = $(if $(RECORDED),,$(shell command -v pulumi 2>/dev/null))
ASKS_NOTHING = --yes -y --skip-preview -f
PULUMI_VERSION = $(shell sed -n 's/^pulumi==\([0-9.]*\).*/\1/p' requirements.txt)
# Start-up is fast only with bytecode caches; an empty value switches them on.
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

# uv trusts what the system trusts, a company's proxy included.
$(READY): $(REQUIREMENTS) requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python must be 3.11 or newer, got `$(PYTHON) --version`: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Building .venv (once)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --require-hashes -r $(REQUIREMENTS) || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $(REQUIREMENTS)
	@touch $(READY)

# The policy pack is a project of its own, which the Pulumi CLI runs in an environment of its own.
$(PACK_READY): policy/requirements.txt | $(READY)
	@rm -rf policy/venv && $(PYTHON) -m venv policy/venv
	@$(BIN)/uv pip install --quiet --system-certs --python policy/venv/bin/python --require-hashes -r policy/requirements.txt || \
	  policy/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r policy/requirements.txt
	@touch $(PACK_READY)

setup: $(READY) $(PACK_READY) ## build both environments, without running anything (REQUIREMENTS: another lock for .venv)

demo: $(READY) ## the whole pipeline on the local cloud, with a verdict
	@./orders demo

local: $(READY) ## the local cloud with a live page, deployed again as files change, until Ctrl-C (ARGS: --open ...)
	@./orders local $(ARGS)

policy: $(READY) ## hold STACK against the policy pack, before and after its first deployment
	@./orders policy --stack $(STACK) $(PACK_CONFIG)

preview: cli $(PACK_READY) ## what an update would change in STACK, held against the policy pack (ARGS: further flags)
	@pulumi preview --stack $(STACK) --diff --policy-pack policy $(PACK_CONFIG) $(ARGS)

up: cli $(PACK_READY) $(if $(filter 0,$(REVIEWED)),unreviewed,review) ## review STACK, then update it on AWS (REVIEWED=0: unreviewed; ARGS: further flags)
	@pulumi up --stack $(STACK) --policy-pack policy $(PACK_CONFIG) $(ARGS)

review: $(READY) $(if $(ENGINE),review-preview) ## what the change does to STACK, and whether it loses an order (RECORDED=1: without the Pulumi CLI)
	@./orders review --stack $(STACK) $(if $(ENGINE),$(PREVIEWED),$(ARGS))

rehearsal: $(READY) ## try CHANGE, a folder, on the local cloud against what is here, and leave what it showed for the review of STACK
	@mkdir -p $(PREVIEWED)
	@./orders rehearse --stack $(STACK) --json --change $(CHANGE) >$(PREVIEWED)/rehearsal.json || true

unreviewed:
	@echo "REVIEWED=0: whether this update of $(STACK) loses an order is not looked at" >&2

# The event log, a debug flag, alone holds the policies' verdicts; a preview that fails is reviewed, too. Exemptions, and
# decisions that wait for the update, only the pack's driver tells.
review-preview: cli $(PACK_READY) ## preview STACK into build/review/STACK, where the review reads it
	@rm -rf $(PREVIEWED) && mkdir -p $(PREVIEWED)
	@PULUMI_DEBUG_COMMANDS=true pulumi preview --stack $(STACK) --policy-pack policy $(PACK_CONFIG) --json \
	  --show-sames --show-replacement-steps --event-log $(PREVIEWED)/events.jsonl $(filter-out $(ASKS_NOTHING),$(ARGS)) \
	  >$(PREVIEWED)/preview.json 2>$(PREVIEWED)/log.txt || touch $(PREVIEWED)/failed
	@pulumi stack history --stack $(STACK) --json --page-size 10 >$(PREVIEWED)/history.json 2>/dev/null || true
	@./orders policy --stack $(STACK) $(PACK_CONFIG) --json >$(PREVIEWED)/policies.json 2>/dev/null || true

cli:
	@command -v pulumi >/dev/null || { echo "pulumi must be on the PATH, and is not;" \
	  "to install it: curl -fsSL https://get.pulumi.com | sh -s -- --version $(PULUMI_VERSION)" >&2; exit 1; }

bench: $(READY) ## measure the handler beside others and write docs/performance.md (QUICK=1: under a minute, targets only)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

docs: $(READY) ## write the generated parts of the documents
	@./orders docs
	@PYTHONPATH=policy $(BIN)/python policy/document.py

golden: $(READY) ## write the graphs that a test compares again: read the difference before you commit it
	@$(BIN)/python -m tests.recording.graphs

test: $(READY) ## all tests
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

engine: cli $(READY) $(PACK_READY) ## the tests on the real Pulumi engine, against the local cloud (needs the CLI)
	@ORDERS_ENGINE=1 $(BIN)/python -m pytest tests/engine --numprocesses auto --maxprocesses 2 --dist loadfile

lint: $(READY) ## style, likely bugs, unsafe workflows, committed secrets
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/zizmor --quiet --offline --pedantic --no-progress .github
	@git ls-files -z -- ':!:*requirements*' ':!:tests/policy/engine' | xargs -0 $(BIN)/detect-secrets-hook --no-verify \
	  --disable-plugin KeywordDetector --exclude-secrets AKIANOBODY0000000000 \
	  --exclude-lines '^encryptedkey: |secure: |fails\("a private key"|"(receiptHandle|md5OfBody)": "'

audit: $(READY) ## known holes in what is pinned
	@./requirements/audit

proofs: $(READY) ## prove that nothing is lost and nobody gets in, and write docs/reliability.md (10 minutes)
	@$(BIN)/python -m pytest -m proof -v tests/proofs

types: $(READY) ## static types
	@$(BIN)/mypy
	@$(BIN)/mypy policy/__main__.py
	@$(BIN)/mypy bootstrap/__main__.py

check: lint types test ## lint, types and tests: what CI runs

lock: $(READY) ## compile the pinned requirements
	@UV_CUSTOM_COMPILE_COMMAND="make lock" ./requirements/lock

.PHONY: help setup demo local policy preview up unreviewed review rehearsal review-preview cli bench docs golden test engine lint audit proofs types check lock
