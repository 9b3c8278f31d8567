# Every target sets up what it needs: it finds a Python, makes .venv, installs if something changed.
# Written for GNU make 3.81, the one that macOS ships.
#
#   PORT=8866              where `make dashboard` and `make lab` listen
#   PYTHON=/path/python3   the Python that .venv is made from
#   DATA=FOLDER            where `make bench` finds the original MNIST
#   TORCH_INDEX=URL        where to look for PyTorch in addition to pip's own places; empty: nowhere else

SHELL := /bin/sh
BIN := .venv/bin
VERSIONS := python3.13 python3.12 python3.11
# That of the system comes first: it is compiled with optimizations, which pyenv omits by default.
PYTHONS := $(or $(PYTHON),$(addprefix /usr/bin/,$(VERSIONS)) $(VERSIONS) python3.14 python3 python)

# Leaves the first Python that can make .venv in $$python, or stops with one sentence.
find_python = for python in $(PYTHONS) ''; do \
	"$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; test -n "$$python" || { \
	echo 'Workbench needs Python 3.11 or newer with ensurepip (Debian: python3-venv) and found none:' \
	'install it, or name it with PYTHON=.' >&2; exit 1; }
set_up = $(find_python); "$$python" -m workbench._setup
find_browser = WORKBENCH_CHROMIUM="$$($(BIN)/python -m workbench._setup browser)"
# Test files run in parallel, on as many workers as tests/conftest.py says, at most eight.
workers = -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
port = $(if $(PORT),--port $(PORT))
# Tests start hundreds of processes: without compiled modules, each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help dashboard lab test test-fast check docs bench bundle clean

help:
	@echo 'make dashboard   open the page (PORT= to choose where)'
	@echo 'make lab         open the same notebooks in JupyterLab (PORT= to choose where)'
	@echo 'make test        run every test, in a browser too, on all cores'
	@echo 'make test-fast   run the tests that need no browser and little time'
	@echo 'make check       run the linters, the types and the import rules'
	@echo 'make docs        build the documentation website in dist/site'
	@echo 'make bench       measure the figures of docs/benchmarks.md again'
	@echo 'make bundle      collect wheels that install without internet into dist/bundle'
	@echo 'make clean       remove everything that these targets made'

dashboard lab:
	@$(set_up) run
	@exec $(BIN)/workbench $@ $(port)

test:
	@$(set_up) test
	@$(find_browser); export WORKBENCH_CHROMIUM; exec $(BIN)/python -m pytest $(workers) --durations 25

test-fast:
	@$(set_up) test
	@exec $(BIN)/python -m pytest tests $(workers) -m 'not browser and not slow'

check:
	@$(set_up) test
	@exec $(BIN)/python -m pytest tests/project -m check

docs:
	@$(set_up) run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@exec $(BIN)/python -m mkdocs build --quiet
	@echo 'The website is in dist/site.'

bench:
	@$(set_up) test
	@$(find_browser); export WORKBENCH_CHROMIUM; set -e; \
	for script in benchmarks/[!_]*.py; do echo "== $$script"; \
		if ! grep -q '_mnist' "$$script"; then $(BIN)/python "$$script"; \
		elif test -n "$(DATA)"; then $(BIN)/python "$$script" --data "$(DATA)"; \
		else echo 'needs the original MNIST: make bench DATA=FOLDER'; fi; done

bundle:
	@$(set_up) bundle

clean:
	rm -rf .venv dist node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
