# Each target makes .venv by itself, on a machine with nothing but Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install test lint format clean
help:
	@echo "make test    install what is needed, run the tests"
	@echo "make lint    ruff: rules and format"
	@echo "make format  let ruff mend what it can"
	@echo "make clean   remove .venv and caches (never your data)"

# The stamp is younger than pyproject.toml exactly when the installation is up to date.
STAMP := $(VENV)/.installed
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

install: $(STAMP)

test: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build
