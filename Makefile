PYTHON ?= .venv/bin/python

.PHONY: check test test-devices unit bench docs fmt fuzz endure

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
	$(PYTHON) -m benchmarks pipeline --repeats 3 --json benchmarks/results/pipeline.json \
		--matrix sizes --matrix faces --matrix streams --matrix sinks
	$(PYTHON) -m benchmarks stages --json benchmarks/results/stages.json

docs:  ## the README's pictures and table, from today's code and the last results
	$(PYTHON) run_stream.py demo -o side-by-side:docs/images/demo_side_by_side.jpg -q
	$(PYTHON) -m benchmarks table benchmarks/results --readme README.md --plots docs/images

fmt:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

fuzz:  ## more than 10,000 damaged and hostile inputs, always the same ones
	$(PYTHON) -m tests.fuzz --json benchmarks/results/fuzz.json

endure:  ## killed 50 times while recording; half an hour of streaming
	$(PYTHON) -m benchmarks kill --check --json benchmarks/results/kill.json
	$(PYTHON) -m benchmarks soak --check --json benchmarks/results/soak.json
