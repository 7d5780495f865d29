# `make demo` and `make test` need nothing but Python >= 3.11 and make: they install into .venv first.

PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo

.PHONY: all install demo test lint fix bench docs pictures wheel clean

all: lint test

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("themescout needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable . --group dev
	touch $@

demo: install
	$(BIN)/themescout demo $(DEMO)

test: install
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fix: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/refit.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/parts.py

docs: install
	$(BIN)/python docs/commands.py

pictures: install
	$(BIN)/python docs/screenshots.py

wheel: install
	$(BIN)/python -m build --wheel --installer pip --outdir dist

clean:
	rm -rf .venv dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
