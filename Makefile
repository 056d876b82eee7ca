# make demo     install, get a data set, train AlexNet on it, evaluate it, draw the pictures
# make test     install, run the whole test suite
# make lint     check style and formatting
# make torture  run the long reliability tests and print their figures (docs/reliability.md)
# make examples run every example script on made-up data, one epoch each
# make bench    measure everything against 2017 and the alternatives: table and chart in output/bench/
# make test-backends  run what touches Keras on its jax and torch backends too
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-backends torture lint bench examples install format clean python

demo: $(VENV)/installed
	$(BIN)/python examples/dogs_vs_cats/demo.py

install: $(VENV)/installed

# Two processes, each file in one of them: half the time on two cores. tests/conftest.py has the order.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

BACKEND_TESTS := $(addprefix tests/test_,nn.py callbacks.py training.py io_generator.py imagedatagenerator.py \
  caffe_layers.py caffe_load.py caffe_optimizers.py caffe_training.py)
test-backends: $(VENV)/installed-backends
	KERAS_BACKEND=jax $(BIN)/python -m pytest $(BACKEND_TESTS)
	KERAS_BACKEND=torch $(BIN)/python -m pytest $(BACKEND_TESTS)

torture: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m torture -s

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

examples: $(VENV)/installed-dev
	$(BIN)/python -m pytest tests/test_examples_*.py

bench: $(VENV)/installed-bench
	$(BIN)/python benchmarks/all.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

# The stamps make a second call of any command start at once.
$(VENV)/installed: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[dev]"
	@touch $(VENV)/installed $@

$(VENV)/installed-bench: $(VENV)/installed
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[bench]"
	@touch $@

$(VENV)/installed-backends: $(VENV)/installed-dev
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[backends]"
	@touch $@

$(BIN)/python: | python
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Cannot make a virtual environment in $(VENV). On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Cannot find $(PYTHON). Install Python 3.11 or later (Debian or Ubuntu: sudo apt install python3 python3-venv)," \
	       "or name yours: make PYTHON=/path/to/python3 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed. Received: `$(PYTHON) --version`. Name another: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) lacks its venv module. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }
