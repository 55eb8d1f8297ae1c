# Everything installs into .venv, with the exact versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most of what there is to compile is never imported: it is compiled when it is.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
WORKERS ?= 2
# One thread a process: two on a busy machine are many times slower.
export OMP_NUM_THREADS ?= 1
# What has been compiled is kept: the tests start many processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help install quickstart test test-slow check format docs benchmark clean

help: ## Show what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## Make .venv and install holdfast into it, ready for development

$(VENV)/.installed: pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) --editable '.[dev]'
	touch $@

quickstart: install ## See what fine-tuning does to a safeguard, and what RepNoise changes
	$(BIN)/holdfast quickstart

test: install ## The fast tests
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

test-slow: install ## The slow tests: rebuilding the organisms and the like
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal -m slow

check: install ## Style, types and the order of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: install ## Put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## The site of docs/, into site/: a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

benchmark: install ## The measurements that the README quotes
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## Remove what was built and measured
	rm -rf $(VENV) dist build site holdfast-quickstart holdfast-studies .pytest_cache .ruff_cache .hypothesis
