# wfp-analyzer. `make demo` shows it, `make test` proves it; both need only Python 3.11 or later and make.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
TICKET := samples/ticket-a-win11
REPORT := demo/report.html
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types walls plain tests fuzz golden snapshots samples docs pictures notebook singlefile pythons clean

help:
	@echo 'make demo     analyze the shipped ticket and say where the report is'
	@echo 'make test     everything: style, types, walls, a plain install, the demo, all tests'
	@echo 'make fuzz     damage logs in 200,000 ways and read them (FUZZ="--minutes 5 --seed 7" for other runs)'
	@echo 'make golden   refresh the expected outputs that tests compare with'
	@echo 'make snapshots  refresh the pictures of pages that tests compare with (needs Chromium)'
	@echo 'make samples  make the shipped tickets again'
	@echo 'make docs     make the reference of commands, the man page, and the pages on kinds and findings again'
	@echo 'make pictures make the pictures of the documentation again (needs Chromium)'
	@echo 'make notebook run the guided tour and store its outputs'
	@echo 'make singlefile  make dist/wfp-analyzer.pyz: everything but Python in one file'
	@echo 'make pythons  see whether every supported Python can get the dependencies (needs the index)'
	@echo 'make clean    remove everything that was made here'

# ------------------------------------------------------------------------------------------------ environment

$(VENV)/made: pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or later is needed; give its path: make PYTHON=/path/to/python3'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python can make no virtual environments (on Debian: apt-get install python3-venv)'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

# The development group is read here, so that the pip that came with Python is good enough.
$(VENV)/made-dev: pyproject.toml $(VENV)/made
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' > $(VENV)/dev.txt
	$(PIP) --requirement $(VENV)/dev.txt
	@touch $@

# ------------------------------------------------------------------------------------------------ for everybody

demo: $(VENV)/made
	@mkdir -p $(dir $(REPORT))
	$(BIN)/wfp-analyzer report $(TICKET) -o $(REPORT) --json demo/report.json --force
	@echo
	@echo "The report: $(CURDIR)/$(REPORT)"

test: $(VENV)/made-dev lint types walls plain demo tests

# ------------------------------------------------------------------------------------------------ parts of the test

lint: $(VENV)/made-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/made-dev
	$(BIN)/mypy

walls: $(VENV)/made-dev
	$(BIN)/lint-imports --no-cache

plain: $(VENV)/made-dev
	$(BIN)/python .ci/plain_install.py $(TICKET)

tests: $(VENV)/made-dev
	$(BIN)/python -m pytest -n 2

# ------------------------------------------------------------------------------------------------ for developers

fuzz: $(VENV)/made-dev
	PYTHONPATH=. $(BIN)/python tests/fuzz $(FUZZ)

golden: $(VENV)/made-dev
	WFP_ANALYZER_GOLDEN=refresh $(BIN)/python -m pytest -q -k golden

snapshots: $(VENV)/made-dev
	WFP_ANALYZER_SNAPSHOTS=refresh WFP_ANALYZER_BROWSER=required $(BIN)/python -m pytest -q tests/browser/test_snapshots.py

samples: $(VENV)/made
	$(BIN)/python -m samples.make

docs: $(VENV)/made
	$(BIN)/python -m tools.docs

pictures: $(VENV)/made-dev
	$(BIN)/python -m tools.pictures $(if $(CHROMIUM),--chromium $(CHROMIUM))

notebook: $(VENV)/made-dev
	$(BIN)/python -m tools.notebook

# ------------------------------------------------------------------------------------------------ to ship

singlefile: $(VENV)/made-dev
	$(BIN)/python -m tools.singlefile dist/wfp-analyzer.pyz $(TICKET)

pythons: $(VENV)/made
	$(BIN)/python -m tools.pythons

clean:
	rm -rf $(VENV) build dist demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache report.html
	find analyzer reports samples tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
