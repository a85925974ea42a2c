PYTHON ?= .venv/bin/python

.PHONY: check test unit bench fmt

check:  ## formatting, lint, types
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

test:  ## everything
	$(PYTHON) -m pytest

unit:  ## the fast part
	$(PYTHON) -m pytest tests/unit

bench:  ## throughput and efficiency, JSON and plot into benchmarks/results
	$(PYTHON) -m benchmarks pipeline

fmt:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
