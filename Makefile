# Everything a checkout is asked to do. `make help` lists it; each target sets up first what is missing.
#
#   ONEHALL_PORT=9000 make run     another port for the gateway; all other ports follow from it
#   ONEHALL_STATE=/data make up    another folder for databases, mails, logs and settings than var/
#   ONEHALL_REPLICAS=2 make up     two processes of each service
#   make test ARGS="-k inbox -x"   what pytest is given besides

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
LOCAL := $(BIN)/python -m deploy.local
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

export PYTHON
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run up down status demo test chaos check bench lock setup setup-tests

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## start the platform in the foreground; Ctrl-C stops it
	@$(LOCAL) run

up: setup ## start the platform in the background; returns when it is healthy
	@$(LOCAL) up

down: ## stop the platform; no process is left behind
	@test ! -x $(BIN)/python || $(LOCAL) down

status: ## show every process, its port and its health
	@test -x $(BIN)/python || { echo "not set up yet; make up does it"; exit 1; }
	@$(LOCAL) status

demo: setup ## play a story over the four channels, a joint case and a cross-region one, and print their histories
	@$(LOCAL) demo

test: setup-tests ## run every test (ARGS goes to pytest)
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadscope $(ARGS)

chaos: setup ## every test that kills processes and counts what is lost, the long ones too (ARGS goes to pytest)
	@$(BIN)/python -m pytest tests/chaos -m "long or not long" -v $(ARGS)

check: setup ## format, lint, types, import contracts, deployment files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.check

bench: setup ## measure, and print a table of ratios
	@$(BIN)/python -m bench $(ARGS)

lock: setup ## resolve the locked requirements anew (ARGS=--upgrade takes newer versions)
	@$(LOCK) $(ARGS) --output-file=requirements.lock requirements.in
	@$(LOCK) $(ARGS) --output-file=requirements-dev.lock requirements-dev.in

setup:
	@sh deploy/local/setup.sh

setup-tests:
	@sh deploy/local/setup.sh for-tests
