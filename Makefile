# Everything a newcomer needs; each target first makes .venv from requirements.lock by itself.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python main.py
DEMO := runs/demo
INSTALLED := .venv/installed
export TF_CPP_MIN_LOG_LEVEL := 3
export TFDS_DISABLE_TELEMETRY := 1
# Large pages for large arrays, as main.py has them.
export GLIBC_TUNABLES := glibc.malloc.hugetlb=1

.PHONY: help setup demo test slow faults fuzz check types bench clean-demo
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

test: $(INSTALLED)  ## all tests but those of slow and faults
	$(BIN)/python -m pytest --numprocesses=2 --no-loadscope-reorder

slow: $(INSTALLED)  ## tests that take minutes: several processes, devices or programs together
	$(BIN)/python -m pytest -m slow

faults: $(INSTALLED)  ## all rows of the fault matrix: runs killed, starved and lied to
	$(BIN)/python -m pytest -m "faults or not faults" --timeout=1500 --numprocesses=2 --no-loadscope-reorder tests/faults

fuzz: $(INSTALLED)  ## ten minutes of fuzzing for each of three readers
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	@for kind in records pictures tables; do mkdir -p runs/fuzz/$$kind && $(BIN)/python tests/fuzz/fuzz_$$kind.py \
	  runs/fuzz/$$kind tests/fuzz/corpus/$$kind -max_total_time=600 -timeout=60 -rss_limit_mb=3000 -max_len=6000 \
	  -artifact_prefix=runs/fuzz/$$kind- || exit 1; done

check: $(INSTALLED)  ## lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)  ## pyright; a hundred findings, most of them in the libraries' own annotations
	$(BIN)/pyright

# The others need data, an environment of their own or many minutes; docs/benchmarks.md has their commands.
SHORT := render scan logistic
bench: $(INSTALLED)  ## the short benchmarks, one JSON line a figure
	@for name in $(SHORT); do $(BIN)/python benchmarks/$$name.py || exit 1; done
