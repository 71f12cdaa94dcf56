# Everything one does with Waypost. Needs Python 3.11 or newer and make; the rest is brought along.
PYTHON ?= python3
BOOT = $(PYTHON) scripts/bootstrap.py
RUN = PYTHONPATH=backend .venv/bin/python
LOCK = .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
NPM = PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix frontend

.DEFAULT_GOAL := help
.PHONY: help run test test-integration first-start check format lock bench bench-views bench-live bench-volume crash fuzz audit openapi docs admin migrate clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## start Waypost (HOST, PORT, DATA_DIR, DEMO=0, DATABASE_URL, REDIS_URL, SMTP_HOST …)
	@$(BOOT) --web
	@PYTHONPATH=backend exec .venv/bin/python -m waypost.cli run

test: ## every test: backend, web app, journeys in a browser
	@$(BOOT) --dev --web
	@$(RUN) scripts/test.py

test-integration: ## against real systems: each is installed and started by the tests, and stopped
	@$(BOOT) --dev
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/pytest backend/integration

first-start: ## start as a newcomer does, twice, and see a request arrive by mail
	@$(PYTHON) scripts/first_start.py

check: ## format, lint, types, room rules, generated client up to date
	@$(BOOT) --dev --web
	@$(RUN) scripts/check.py

format: ## put the code into its form
	@$(BOOT) --dev --web
	@.venv/bin/ruff format backend scripts benchmarks && .venv/bin/ruff check --fix backend scripts benchmarks
	@$(NPM) run --silent format

lock: ## write the lock files anew after a change of the dependencies
	@$(BOOT)
	@$(LOCK) -o requirements.lock
	@$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock

fuzz: ## every operation of the API with made-up input, as each role (CASES=12, ROLES="employee admin"); takes a while
	@$(BOOT) --dev
	@$(RUN) scripts/fuzz.py

audit: ## ask the advisory services about every locked package (needs a way out to them)
	@$(BOOT) --dev --web
	@.venv/bin/python scripts/floors.py --strict
	@.venv/bin/pip-audit --disable-pip --require-hashes -r requirements.lock
	@$(NPM) audit --audit-level=moderate

bench: ## measure, side by side, and print ratios
	@$(BOOT) --dev
	@$(RUN) -m benchmarks

bench-views: ## measure saved views, in every order, as people who see much and everything
	@$(BOOT) --dev
	@$(RUN) -m benchmarks views

bench-live: ## measure a thousand open screens: what they cost, and how soon a change reaches one
	@$(BOOT) --dev
	@$(RUN) -m benchmarks live

bench-volume: ## measure every screen with 100,000 and 1,000,000 tickets (SIZES, VOLUME_FOLDER, ONLY); takes a while
	@$(BOOT) --dev
	@$(RUN) -m benchmarks volume

crash: ## kill one process after another while people submit and messages go out, and count what arrived
	@$(BOOT) --dev --web
	@$(RUN) -m benchmarks.crash

openapi: ## write frontend/openapi.json and the client generated from it
	@$(BOOT) --dev --web
	@$(RUN) -m waypost.cli openapi frontend/openapi.json
	@$(NPM) run --silent api

docs: ## write the pages of docs/ that are generated from the code
	@$(BOOT) --dev
	@$(RUN) scripts/docs.py

admin: ## make EMAIL=… administrator and print a one-time link
	@$(BOOT)
	@$(RUN) -m waypost.cli admin "$(EMAIL)"

migrate: ## bring the database at DATABASE_URL up to date
	@$(BOOT)
	@$(RUN) -m waypost.cli migrate

clean: ## remove what was built (never the data)
	rm -rf .venv .build frontend/node_modules frontend/dist
