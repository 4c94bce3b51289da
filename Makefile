# What can be done with this repository. `make demo` needs Python and nothing else; the other targets
# make themselves a virtual environment in .venv and install into it what they need.

PYTHON ?= python3# any Python from 3.10 on
VENV ?= .venv
GROUP ?= dev# dependency group of pyproject.toml: test, lint, or both
ARGS ?= -n auto# for pytest
COVERAGE = --cov --cov-report=

BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed-$(GROUP)
PYTHONS = $(PYTHON) .ci/pythons.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check static format lint types coverage package picture clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## A small shop, a page that crashes, the email that comes of it (SERVE=1: stay and click)
	@PYTHONPATH=src $(PYTHON) examples/demo.py $(if $(SERVE),--serve)

test: $(INSTALLED)  ## The tests (ARGS="tests/test_conf.py -k url" for some of them)
	$(BIN)/python -m pytest $(ARGS)

test-all:  ## The tests on every Python from 3.10 on that this machine has
	@set -e; $(PYTHONS) | while read -r version path; do \
		echo "== Python $$version: $$path"; \
		$(MAKE) --no-print-directory test PYTHON="$$path" VENV=".venv-$$version" GROUP=test </dev/null; \
	done

check: static  ## All that CI runs: format, lint, types, tests with coverage, package
	$(MAKE) --no-print-directory test ARGS="$(ARGS) $(COVERAGE)"
	$(MAKE) --no-print-directory coverage package

static: lint types

format: $(INSTALLED)  ## Format the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(INSTALLED)
	$(BIN)/mypy src examples tests/typing
	$(BIN)/pyright --pythonpath $(BIN)/python
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright --verifytypes errormail --ignoreexternal

coverage:  # of the last tests; fails where a part of the package has less than 90 %
	@mkdir -p build
	$(BIN)/coverage json --quiet -o build/coverage.json
	$(BIN)/python .ci/coverage_parts.py build/coverage.json --least 90

package: $(INSTALLED)
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python .ci/wheel_alone.py dist

picture:  ## docs/email.png anew (needs Chromium)
	PYTHONPATH=src $(PYTHON) docs/make_picture.py

clean:  ## Remove what the other targets made
	rm -rf .venv .venv-* dist build .coverage .coverage.* htmlcov .hypothesis .pytest_cache .mypy_cache .ruff_cache

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"  # the first that knows --group
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group $(GROUP)
	@touch $@
