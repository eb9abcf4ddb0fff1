PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench clean

demo: .venv/installed  ## enlarge a photograph 4x and show it beside bicubic
	$(BIN)/python examples/demo.py

test: .venv/developed lint  ## install everything for development, then lint, types and all tests
	scripts/install-test-tools $(BIN)
	$(BIN)/pytest

lint: .venv/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/developed  ## networks, engines and public tools on this machine, in one run
	$(BIN)/pip install --quiet --constraint constraints.txt --group bench
	$(BIN)/python benchmarks/engines.py $(if $(CALIBRATION),--calibration $(CALIBRATION))

clean:
	rm -rf .venv demo dist

.venv/bin/pip:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'

.venv/installed: pyproject.toml | .venv/bin/pip
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable .
	touch $@

.venv/developed: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@ .venv/installed
