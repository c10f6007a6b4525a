# Every target sets up its own .venv; a fresh machine needs only Python 3.11 or later and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first interpreter that is 3.11 or later and can make a virtual environment. `make PYTHON=/path/to/python` overrides it.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
RESULTS := results/digits

.PHONY: help demo test check lint bench bench-publish peers clean
help:
	@echo "make demo    per-image gradients of a softmax regression on 1,797 handwritten digits"
	@echo "make test    all tests (compares with PyTorch where PyTorch is installed in $(VENV))"
	@echo "make check   the fast tests, less than a minute"
	@echo "make lint    ruff and mypy"
	@echo "make bench   a quick run of every asv benchmark"
	@echo "make bench-publish  measures the last commit properly and makes pages of all results in .asv/html (BENCH=Heston: these only)"
	@echo "make peers   tapediff beside PyTorch, JAX, CasADi, ddx and others: a table and docs/performance.md (an hour)"
	@echo "make clean   remove $(VENV), $(PEERS), caches and results"

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "tapediff needs Python 3.11 or later with the venv module; none was found (tried python3, python3.11 ... python3.14, python)." >&2; \
	  echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python" >&2; exit 1; fi
	"$(PYTHON)" -m venv $(VENV)

# One stamp per extra, renewed when the dependencies may have changed.
$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/.installed-examples
	@rm -rf $(RESULTS)
	$(BIN)/python -m examples.digits.prepare --out $(RESULTS)/inputs
	$(BIN)/python -m tapediff run examples/digits/model.py:loss --rows pixels=$(RESULTS)/inputs/data.npy --rows label=$(RESULTS)/inputs/labels.npy \
	  --shared weight=$(RESULTS)/inputs/weights.npz:weight --shared bias=$(RESULTS)/inputs/weights.npz:bias --wrt pixels --out $(RESULTS) --check 5
	$(BIN)/python -m examples.digits.picture $(RESULTS)

test: $(VENV)/.installed-dev $(VENV)/.installed-jobs $(VENV)/.installed-examples
	$(BIN)/python -m pytest -rs

check: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m "not slow"

lint: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

bench: $(VENV)/.installed-dev
	@$(BIN)/asv machine --yes > /dev/null
	$(BIN)/asv run --quick --python=same --show-stderr

bench-publish: $(VENV)/.installed-dev
	@$(BIN)/asv machine --yes > /dev/null
	$(BIN)/asv run --skip-existing-successful $(if $(BENCH),--bench "$(BENCH)") 'HEAD^!'
	$(BIN)/asv publish
	@echo "$(BIN)/asv preview shows the pages"

# The peers, and what they need, stay out of the environment in which tapediff is built and tested.
$(PEERS)/.installed: pyproject.toml
	@test -x $(PEERS)/bin/python || "$(PYTHON)" -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[peers]'
	@touch $@

peers: $(PEERS)/.installed
	$(PEERS)/bin/python -m benchmarks.peers --threads 1,2 --output docs

clean:
	rm -rf $(VENV) $(PEERS) .asv results .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
