# Everything a newcomer needs; each target first makes .venv from requirements.lock by itself.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python main.py
DEMO := runs/demo
INSTALLED := .venv/installed
export TF_CPP_MIN_LOG_LEVEL := 3
export TFDS_DISABLE_TELEMETRY := 1

.PHONY: help setup demo test check bench clean-demo
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(INSTALLED)  ## make .venv and install the locked versions

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) clean-demo  ## simulated recordings -> sheets -> MAE -> probe, fine-tune, report (minutes)
	$(BIN)/tfds build data_builders/simulated_ecg --config=sheet_small --data_dir=$(DEMO)/data
	$(RUN) --config=configs/pretrain.py:demo --workdir=$(DEMO)/pretrain
	$(RUN) --config=configs/embed.py:demo --workdir=$(DEMO)/embed
	$(RUN) --config=configs/linear_probe.py:demo --workdir=$(DEMO)/linear_probe
	$(RUN) --config=configs/finetune.py:demo --workdir=$(DEMO)/finetune
	$(RUN) --config=configs/reconstruct.py:demo --workdir=$(DEMO)/reconstruct
	@cat $(DEMO)/linear_probe/summary.txt

clean-demo:
	rm -rf $(DEMO)

test: $(INSTALLED)  ## all tests
	$(BIN)/python -m pytest

check: $(INSTALLED)  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

bench: $(INSTALLED)  ## the short benchmarks, one JSON line a figure
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done
