# 技桥: `make demo` starts it, `make test` proves it, `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DEMO_DATA ?= var/demo
# The CPU build where pip finds one; on machines with a GPU choose your own.
TORCH ?= torch==2.13.0
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint install-test clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## install, load the demonstration market, start web and worker
	@DATA_DIR=$(DEMO_DATA) $(BIN)/jiqiao up --demo --port $(PORT)

test: $(VENV)/.installed-test ## run the whole suite on SQLite and PostgreSQL, installing what it needs
	@tools/install-system-packages postgresql chromium fonts-noto-cjk
	@tools/test-on-both-databases $(PYTEST) -q -p no:cacheprovider

quick: $(VENV)/.installed-test ## run the suite without browser journeys, on SQLite
	$(PYTEST) -q --ignore tests/journeys

lint: $(VENV)/.installed-test ## ruff, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove the virtual environment and the demonstration's data
	rm -rf $(VENV) $(DEMO_DATA)

$(VENV)/.installed: pyproject.toml
	@tools/check-python $(PYTHON)
	@test -x $(BIN)/python || $$(tools/check-python --print $(PYTHON)) -m venv $(VENV)
	@echo "正在安装依赖，第一次需要一两分钟……"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check "$(TORCH)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev,embed]"
	@touch $@
