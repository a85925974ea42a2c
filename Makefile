PYTHON ?= .venv/bin/python

.PHONY: check test test-devices unit bench docs fmt

check:  ## formatting, lint, types
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

test:  ## everything
	$(PYTHON) -m pytest

test-devices:  ## virtual cameras and webcams, on real drivers in an emulated machine
	$(PYTHON) -m tests.devices

unit:  ## the fast part
	$(PYTHON) -m pytest tests/unit

bench:  ## throughput and efficiency; wants a quiet machine
	$(PYTHON) -m benchmarks pipeline --json benchmarks/results/pipeline.json

docs:  ## the README's pictures and table, from today's code and the last results
	$(PYTHON) run_stream.py demo -o side-by-side:docs/images/demo_side_by_side.jpg -q
	$(PYTHON) -m benchmarks table benchmarks/results/pipeline.json \
		--readme README.md --plot docs/images/pipeline.png

fmt:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .
