# The commands of the house. `make help` lists them. Each one sets up what it needs first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMPS := $(VENV)/.stamps
ASSETS := client_web/assets
STATIC := client_web/static
CATALOGUES := $(wildcard client_web/translations/*/LC_MESSAGES/daftar.po)
ASSET_SOURCES := $(shell find $(ASSETS) client_web/kit client_web/templates licensing/authority \
	-name node_modules -prune -o -type f -not -name '*.py' -not -name '*.pyc' -print 2>/dev/null)
# More workers than this gain nothing: each starts a database server and perhaps a browser.
WORKERS ?= $(shell n=$$(nproc); echo $$(( n > 4 ? 4 : n )))

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-14s %s\n", $$1, $$2 }'

# ---------------------------------------------------------------- what outsiders use

.PHONY: demo
demo: setup ## Install a demo with its own vendor into var/demo and serve it until Ctrl-C
	@exec $(PY) -m installer.demo

.PHONY: demo-code
demo-code: setup ## Print the second factor of the demo's console, good for this half minute
	@exec $(PY) -m installer.demo.code

.PHONY: demo-reset
demo-reset: ## Forget the demo and its data
	rm -rf var/demo var/demo-authority

.PHONY: test
test: setup-test ## Run every test (ARGS= goes to pytest)
	$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: check
check: setup-test ## Format, lint, types, import contracts, templates, translations, docs
	@$(PY) tools/check.py

.PHONY: format
format: setup-test ## Put the sources in shape
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

.PHONY: bench
bench: setup-test ## Run the benchmarks, or one: NAME=…; results in benchmarks/results.json
	@$(PY) -m benchmarks.run $(NAME)

.PHONY: screenshots
screenshots: setup-test ## Take a picture of every page into var/screenshots
	@$(PY) -m tools.screenshots

# ---------------------------------------------------------------- what developers use

.PHONY: translations
translations: setup-test ## Bring the catalogues up to date with the sources, and compile them
	@$(PY) tools/translations.py update
	@$(PY) tools/translations.py compile

.PHONY: migration
migration: setup-test ## Draft the next migration: HOUSE=server|authority SAYS="What changes"
	@$(PY) -m tools.migration $(or $(HOUSE),server) "$(SAYS)"

# The run lock comes first and binds the other, so that tests run on what customers get.
COMPILE := $(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: lock
lock: $(STAMPS)/build ## Resolve the Python packages anew (UPGRADE=1 takes newer versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) setup.cfg -o requirements.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) setup.cfg --extra develop -c requirements.lock \
		-o requirements-develop.lock
	printf 'moto[s3,server]\n' | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o requirements-storage.lock
	printf 'setuptools\nuv\n' | $(COMPILE) $(if $(UPGRADE),--upgrade) - -o requirements-build.lock

# ---------------------------------------------------------------- setting up, once

.PHONY: setup
setup: $(STAMPS)/run $(STAMPS)/editable $(STAMPS)/static $(STAMPS)/catalogues ## Set up what running needs

.PHONY: setup-test
setup-test: system-test $(STAMPS)/develop $(STAMPS)/storage setup ## Set up what testing needs, too

.PHONY: system-run system-test
system-run:
	@tools/system_packages run build
system-test:
	@tools/system_packages run build test

$(VENV)/bin/python: | system-run
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Daftar needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/build: requirements-build.lock | $(VENV)/bin/python
	@echo "Installing the tools that install …"
	$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@mkdir -p $(STAMPS) && touch $@

# uv is six times faster; pip reads settings of the machine that uv does not know. Compiled once here,
# where every later start of a command would compile again if the machine keeps no bytecode.
INSTALL = $(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r $(1) \
	|| $(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1)

$(STAMPS)/run: requirements.lock $(STAMPS)/build | system-run
	@echo "Installing the Python packages that Daftar runs on …"
	$(call INSTALL,$<)
	@touch $@

$(STAMPS)/develop: requirements-develop.lock $(STAMPS)/build
	@echo "Installing the Python packages for tests and checks …"
	$(call INSTALL,$<)
	@touch $@ $(STAMPS)/run

# The object storage that tests copy backups to. Its packages do not go together with Daftar's own.
$(STAMPS)/storage: requirements-storage.lock $(STAMPS)/build
	@echo "Installing the object storage for tests …"
	$(PY) -m venv $(VENV)/storage
	$(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(VENV)/storage/bin/python --require-hashes -r $< \
		|| $(VENV)/storage/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@

EDITABLE := $(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation \
	--no-index --editable

# Daftar by a plain path entry: both distributions bring a part of the package `licensing`, and the
# path is asked before the import hook that the other one installs.
$(STAMPS)/editable: setup.cfg pyproject.toml $(wildcard licensing/authority/setup.*) $(STAMPS)/run
	$(EDITABLE) . --config-settings editable_mode=compat
	$(EDITABLE) licensing/authority
	@touch $@

$(STAMPS)/node: $(ASSETS)/package-lock.json | system-run $(VENV)/bin/python
	@echo "Installing the front-end packages …"
	cd $(ASSETS) && npm ci --no-fund --no-audit --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/static: $(STAMPS)/node $(ASSET_SOURCES) $(if $(wildcard $(STATIC)/*),,FORCE)
	@echo "Building the front end …"
	cd $(ASSETS) && npm run --silent build
	@touch $@

$(STAMPS)/catalogues: $(CATALOGUES) tools/translations.py $(STAMPS)/run
	@$(PY) tools/translations.py compile
	@touch $@

.PHONY: FORCE
FORCE:
