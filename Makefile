# Two commands do all: `make book` and `make test`. Each makes the environment by itself.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PYTHONUTF8 := 1
export PYTHONDONTWRITEBYTECODE :=
# Times in figures and packages are fixed, so that two builds give the same bytes.
export SOURCE_DATE_EPOCH ?= 1764000000

# Own data: the notebooks run in another folder than make.
ifneq ($(strip $(TAOBAO_DATA)),)
ifeq ($(filter /% ~%,$(firstword $(TAOBAO_DATA))),)
override TAOBAO_DATA := $(CURDIR)/$(TAOBAO_DATA)
endif
export TAOBAO_DATA
endif

# Where the home cannot be written (a container with another user), tools keep their files in .cache.
ifneq ($(shell test -w "$$HOME" && echo open),open)
export UV_CACHE_DIR ?= $(CURDIR)/.cache/home/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/home/pip
export npm_config_cache ?= $(CURDIR)/.cache/home/npm
export MPLCONFIGDIR ?= $(CURDIR)/.cache/home/matplotlib
export IPYTHONDIR ?= $(CURDIR)/.cache/home/ipython
export JUPYTER_CONFIG_DIR ?= $(CURDIR)/.cache/home/jupyter
export JUPYTER_DATA_DIR ?= $(CURDIR)/.cache/home/jupyter/data
export JUPYTER_RUNTIME_DIR ?= $(CURDIR)/.cache/home/jupyter/runtime
endif

# An archive with a wheelhouse (make release WHEELS=1) builds without network.
ifneq ($(wildcard wheelhouse/*.whl),)
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(CURDIR)/wheelhouse
export UV_OFFLINE := 1
export UV_NO_INDEX := 1
export UV_FIND_LINKS := $(CURDIR)/wheelhouse
endif

.DEFAULT_GOAL := help
SEED ?= 2026

.PHONY: help course book pdf test lab serve clean lock bench check ledger links multiverse audit audit-deep figures lite release

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

book: .venv/ready ## build the book: _build/html/index.html
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo
	@echo "The book is built. Open this file in a browser:"
	@echo "  $(CURDIR)/_build/html/index.html"

# Over the cores; the tests of a file stay together, since they share what is slow to make.
test: book ## build the book and run all tests
	$(BIN)/python -m pytest -n auto --maxprocesses=4 --dist loadfile

check: .venv/ready ## validate the data package
	$(BIN)/python -m taobao_villages check

ledger: .venv/ready ## print every claim with its verdict
	@$(BIN)/python -m taobao_villages ledger --markdown

multiverse: .venv/ready ## run every claim under all its variants
	@$(BIN)/python -m taobao_villages multiverse

course: book ## labs, keys, quiz and slides of the course: make course SEED=your-number
	$(BIN)/python -m taobao_villages course --seed $(SEED)

lab: .venv/ready ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab book

lite: book ## the book in the browser: _build/html/lite, and a button on each chapter
	$(BIN)/python deploy/lite/build.py
	$(BIN)/jupyter-book build . -W -n --keep-going -q

release: book ## the archive of this version in dist; WHEELS=1: with all packages, builds offline
	$(BIN)/python deploy/release.py $(if $(WHEELS),--wheels)

pdf: book ## the whole book as one PDF: _build/pdf/taobao-villages.pdf
	$(BIN)/python deploy/pdf/build.py

serve: book ## read the book at http://localhost:8000
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

audit: book ## measure the pages in a browser: weight, accessibility, Lighthouse
	$(BIN)/python -m audits.audit

links: .venv/ready ## ask every address outside of the book whether it still answers
	$(BIN)/jupyter-book build . --builder custom --custom-builder linkcheck

figures: book ## every figure at two widths, light, dark, grey and colour-blind: _build/figures
	$(BIN)/python -m audits.contact_sheet

bench: book ## time set-up, builds, rebuilds, statistics and pages, as ratios
	$(BIN)/python -m timings.build
	$(BIN)/python -m timings.methods
	$(BIN)/python -m timings.pages
	$(BIN)/python -m timings.environment
	$(BIN)/python -m timings.multiverse

audit-deep: .venv/ready ## placebo, calibration, faults, kills, clones, rebuilds, folders, mutants: hours, not part of the tests
	$(BIN)/python -m audits.placebo
	$(BIN)/python -m audits.calibration
	$(BIN)/python -m audits.clusters
	$(BIN)/python -m audits.faults
	$(BIN)/python -m audits.surroundings
	$(BIN)/python -m audits.kills
	$(BIN)/python -m audits.two_clones
	$(BIN)/python -m audits.rebuilds
	$(BIN)/python -m audits.folders
	$(BIN)/python deploy/lite/check.py --versions
	$(BIN)/python deploy/release.py --prove
	$(BIN)/python deploy/jupyterhub/trial.py
# The longest, up to an hour for each module.
	$(BIN)/python -m audits.mutants

lock: .venv/ready ## resolve requirements.lock anew from pyproject.toml and requirements.in
	$(BIN)/python deploy/environment.py uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --all-extras \
	  pyproject.toml -c requirements.in -o requirements.lock

clean: ## remove the built book and its caches (the environment and the course stay)
	rm -rf .cache .pytest_cache .ruff_cache
# A class may work with the draw of the course, and its key is nowhere else.
	test ! -d _build || find _build -mindepth 1 -maxdepth 1 ! -name course -exec rm -rf {} +

# The environment of this folder: made, or made anew where it does not fit (deploy/environment.py).
# PYTHON counts only where it is said; else an environment keeps the Python that it has.
ASKED := $(if $(filter file,$(origin PYTHON)),,"$(PYTHON)")
.venv/ready: FORCE
	@for python in $(BIN)/python "$(PYTHON)"; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec "$$python" deploy/environment.py $(ASKED); \
	  fi; \
	done; \
	echo "Python 3.11 or later is needed: install it, or say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1
FORCE:
