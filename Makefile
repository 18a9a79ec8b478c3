# The two commands of the README: `make demo` and `make test`. Each installs what it needs, once.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: demo explore test slow faults fuzz lint zoo results notebooks bench bench-web published wheel install-check lock lowest web docs e2e format clean

demo: .venv/.demo
	$(BIN)/zscape demo

# The latent space of zoo:10 and 10 000 test digits in a browser; some ten seconds the first time.
explore: .venv/.demo
	$(BIN)/zscape explore zoo:10

# Two processes of one thread each; a file's tests stay together, as they share what they train.
test: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

slow: .venv/.dev
	$(BIN)/python -m pytest -m "slow and not fuzz" -n 2

# Breaks things on purpose, counts, and writes docs/reliability.md; under 25 minutes on 2 cores.
faults: .venv/.dev
	$(BIN)/python -m pytest tests/faults -m "not fuzz" -n 2 --record docs

# 10,000 damaged files for each of some 40 readers, resumable: runs/fuzz keeps what is done. Hours.
fuzz: .venv/.dev
	$(BIN)/python -m pytest tests/faults/test_fuzz.py -m fuzz -n 2 --record docs

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Trains what ships, resumable: runs/zoo keeps every run. Then measures what is normal, for the doctor, and draws
# the maps that ship.
zoo: .venv/.dev
	$(BIN)/python tools/build_zoo.py
	$(BIN)/python tools/measure_zoo.py
	$(BIN)/python tools/map_zoo.py

# What the zoo pays for the test images, docs/results.md; about an hour, in one thread.
results: .venv/.dev
	$(BIN)/python tools/build_results.py

# Runs the notebooks and keeps what they show; a few minutes.
notebooks: .venv/.dev
	$(BIN)/python tools/run_notebooks.py

# Close everything else on the machine first; about three quarters of an hour on 2 cores.
bench: .venv/.dev
	$(BIN)/python -m benchmarks

# Ours and the zoo beside published tables, resumable: runs/published keeps every training; hours on 2 cores, minutes and the zoo on a GPU.
published: .venv/.dev
	$(BIN)/python -m benchmarks.published

wheel: .venv/.dev
	rm -rf dist
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m uv build --quiet --sdist --out-dir dist
	$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist/from_sdist dist/*.tar.gz
	$(BIN)/python tools/check_wheel.py dist

# Installs the wheel by hashes where there is nothing else, and runs it; on Linux as root: as nobody, without a network, from what
# cannot be written, the source hidden. Some minutes. CLEAN is a Python that nobody may run; WHEELS as below, or else torch comes with
# what NVIDIA's GPUs need.
CLEAN ?= $(shell command -v $(PYTHON))
install-check: wheel
	$(BIN)/python tools/check_install.py dist --python $(CLEAN) $(if $(WHEELS),--first $(WHEELS),--cuda)

# After a change of constraints.txt or pyproject.toml. WHEELS are files that the package index does not have.
lock: .venv/.dev
	$(BIN)/python tools/write_lock.py $(WHEELS)

# The core of the tests with the oldest of everything that pyproject.toml promises, in an environment of its own.
CORE := tests/data tests/model tests/training tests/latents tests/embedding tests/figures tests/neurons tests/explorer tests/test_api.py
lowest: .venv/.dev
	$(BIN)/python -m uv venv --quiet --clear --python $(PYTHON) .venv-lowest
	$(BIN)/python -m uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable ".[dev]"
	.venv-lowest/bin/python -m pytest -n 2 --dist loadfile $(CORE)

# The page of the explorer, from web/ into the package; needs Node.js 20. See web/README.md.
web: web/node_modules/.package-lock.json
	@# Tests against the real model need what Python makes of it; without .venv they are skipped.
	test ! -e .venv/.dev || $(BIN)/python -m tools.web_fixtures zoo10
	npm --prefix web run check
	npm --prefix web test
	npm --prefix web run build

# The explorer in Chromium, JupyterLab and Firefox: a file, a local page and a widget.
e2e: web/node_modules/.package-lock.json .venv/.dev
	npm --prefix web run e2e

# Speed and size of the explorer; close everything else first. The maps of 70 000 digits take long, once.
bench-web: web/node_modules/.package-lock.json .venv/.dev
	npm --prefix web run bench:web

# The site, build/site/index.html, which opens from the disk; trains the four small models of its gallery, once.
docs: .venv/.docs
	$(BIN)/python -m tools.build_docs

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-lowest build dist .mypy_cache .ruff_cache .pytest_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund

# A stamp per set of packages: newer than what it was made from means there is nothing to do.
.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing zscape into .venv (once)."
	$(PIP) --editable .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing zscape and its tools into .venv (once)."
	$(PIP) --editable ".[dev]"
	@touch $@ .venv/.demo

.venv/.docs: pyproject.toml constraints.txt | .venv/.dev
	@echo "Installing what builds the site into .venv (once)."
	$(PIP) --editable ".[dev,docs]"
	@touch $@
