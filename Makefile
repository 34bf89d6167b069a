# make quickstart   installs into .venv, trains a small network on photographs, evaluates it
# make test         installs into .venv, runs all tests (TEST_EXTRAS=test,browser: also those of the
#                   page in Chromium)
# make lint         checks style
PYTHON ?= python3
TEST_EXTRAS ?= test
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e

.PHONY: quickstart test lint clean

quickstart: .venv/.installed runs/sample
	$(BIN)/python -m iicnet_jax.main --config=configs/quickstart.py --workdir=runs/quickstart

runs/sample: | .venv/.installed
	$(BIN)/iicnet data sample --out=$@

test: .venv/.installed-test
	$(BIN)/python -m pytest

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf .venv build *.egg-info

.venv/.installed .venv/.installed-test .venv/.installed-dev: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; call make with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(INSTALL) "$(TARGET)"
	@touch $@

.venv/.installed: TARGET := .
.venv/.installed-test: TARGET := .[$(TEST_EXTRAS)]
.venv/.installed-dev: TARGET := .[dev]
