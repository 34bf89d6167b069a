# make install      installs into .venv
# make quickstart   installs into .venv, trains a small network on photographs, evaluates it
# make test         installs into .venv, runs the tests of every change
# make test-all     ... and the slow ones (marker `nightly`), those of the page in Chromium too
# make lint         checks style and types
#
# PYTHON=python3.14   makes .venv with another Python
# CONSTRAINTS=        takes the newest releases instead of the tested versions
PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=-c %) -e

.PHONY: install quickstart test test-all lint clean

install: .venv/.installed

quickstart: .venv/.installed runs/sample
	$(BIN)/python -m iicnet_jax.main --config=configs/quickstart.py --workdir=runs/quickstart

runs/sample: | .venv/.installed
	$(BIN)/iicnet data sample --out=$@

test: .venv/.installed-test
	$(BIN)/python -m pytest

test-all: .venv/.installed-test-all
	$(BIN)/python -m pytest -m ""

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv build *.egg-info .pytest_cache

.venv/.installed .venv/.installed-test .venv/.installed-test-all .venv/.installed-dev: \
		setup.cfg pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; call make with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) "$(TARGET)"
	@touch $@

.venv/.installed: TARGET := .
.venv/.installed-test: TARGET := .[test]
.venv/.installed-test-all: TARGET := .[test,browser]
.venv/.installed-dev: TARGET := .[dev]
