# Everything a person or the CI runs. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo run test check prove bench fmt lock secrets clean

NAME ?=
SCALE ?= M
BIN := .venv/bin

help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

setup: ## install everything: .venv, locked packages, system packages for the tests
	@tools/setup.sh test

demo: ## the main job from end to end; the last line is one JSON object (SCALE=S|M)
	@tools/setup.sh demo
	@$(BIN)/docflow demo --scale $(SCALE)

run: ## the service with demo data on this machine, until Ctrl-C
	@tools/setup.sh demo
	@exec $(BIN)/docflow up --demo

test: ## every test a user needs to trust the build (T=words narrows it)
	@tools/setup.sh test
	@$(BIN)/python -m pytest -n 2 -m "not prove" $(if $(T),-k "$(T)")

check: ## what CI blocks on first: format, lint, types, imports, budgets, words, secrets, locks, advisories, fast tests
	@tools/setup.sh dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/budgets.py
	@$(BIN)/python tools/glossary.py
	@$(BIN)/python tools/leaks.py
	@$(BIN)/python tools/locks.py
	@$(BIN)/python tools/advisories.py
	@$(BIN)/python -m pytest -n 2 -m "not slow and not prove and not browser"

prove: ## one long proof by its name: make prove NAME=…; without a name, the list of them
	@tools/setup.sh test
	@if [ -n "$(NAME)" ]; then \
		$(BIN)/python -m pytest -m prove -k "$(NAME)" --timeout 1800; \
	else \
		$(BIN)/python -m pytest -m prove --collect-only; \
		echo "make prove NAME=…"; \
	fi

bench: ## benchmarks against floors measured in the same run (NAME=… for some of them)
	@tools/setup.sh dev
	@tools/setup.sh demo
	@$(BIN)/docflow bench $(NAME)

fmt: ## put the code into its form
	@tools/setup.sh dev
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lock: ## resolve pyproject.toml anew into requirements/ (needs uv)
	@uv lock --quiet
	@uv export --quiet --format requirements-txt --no-emit-project --no-header --no-group dev -o requirements/runtime.txt >/dev/null
	@uv export --quiet --format requirements-txt --no-emit-project --no-header -o requirements/dev.txt >/dev/null

secrets: ## random secrets for docker compose into docker/secrets, unless they are there
	@python3 docker/new_secrets.py

clean: ## remove the environment and caches; data stays where it is
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
