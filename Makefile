# `make demo` and `make test` need nothing but make and Python 3.11 to 3.13; run either twice at will.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.DEFAULT_GOAL := help
.PHONY: help install demo serve test wheel lint format docs notebooks savedmodels clean distclean

help:
	@echo "make demo       forecast from the example exports, report in build/demo/report.html"
	@echo "make serve      a model server and the gateway with the records of an example person"
	@echo "make test       every test"
	@echo "make wheel      sdist and wheel into dist/, tried in a clean environment"
	@echo "make lint       ruff check and format check; 'make format' repairs"
	@echo "make docs       the site in build/site, a warning is an error"
	@echo "make notebooks  the notebooks run in full, with outputs, or NOTEBOOKS='model_check'"
	@echo "make install    the environment in $(VENV), which the others create when they need it"
	@echo "make savedmodels  the packaged models exported anew to savedmodels/, or MODELS='ces hpo'"
	@echo "make clean      outputs and caches; 'make distclean' also removes $(VENV)"

install: $(STAMP)

# The stamp is written last: an interrupted install starts over, a finished one costs nothing.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	if $(BIN)/python -c '$(SUPPORTED)' 2>/dev/null && $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		exit 0; \
	fi; \
	for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if "$$candidate" -c '$(SUPPORTED)' 2>/dev/null; then \
			echo "Creating $(VENV) with $$("$$candidate" --version) ($$candidate)"; \
			exec "$$candidate" -m venv --clear $(VENV); \
		fi; \
	done; \
	echo "make: expected Python 3.11 to 3.13 as python3, python3.13, python3.12 or python3.11 on PATH" \
		"(or PYTHON=/path/to/python); received $$(python3 --version 2>&1 || true)" >&2; \
	exit 1
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		--constraint constraints.txt --editable ".[dev,notebook,gateway]"
	@touch $@

demo: install
	$(BIN)/aline-tf migraine forecast --apple-health examples/export.zip --diary examples/diary.csv --out build/demo

# The model server goes when the gateway does.
serve: install
	@mkdir -p build; \
	$(BIN)/aline-tf serve --model-base-path savedmodels --models migraine psychometric --port $(GRPC_PORT) --quiet & \
	server=$$!; trap 'kill $$server 2>/dev/null; wait' EXIT; \
	$(BIN)/aline-tf gateway serve --port $(PORT) --database sqlite:///build/gateway.db --demo examples/more/observations.json

PORT ?= 8000
GRPC_PORT ?= 8500

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile tests

wheel: install
	.ci/wheel

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pages with every warning as an error; what builds them is installed beside the rest when needed.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --quiet \
		--constraint constraints.txt --editable ".[docs]"
	@touch $@

NOTEBOOKS = active_learning data_and_simulation experimenter fine_tune model_check model_layers \
	one_person own_simulator psychometric serving training_loop

# Cells stay those of the .py files; what they print and draw is kept beside them.
notebooks: install
	@set -e; for notebook in $(NOTEBOOKS); do \
		$(BIN)/jupytext --quiet --to ipynb --execute notebooks/$$notebook.py; \
	done

MODELS = $(notdir $(wildcard aline_tf/presets/*))

# Weights come from the package; a model card and other files beside the export are kept.
savedmodels: install
	@set -e; for model in $(MODELS); do \
		$(BIN)/aline-tf export --model aline_tf/presets/$$model --out savedmodels/$$model/1 --force; \
	done

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
