# make run      dress the bundled examples -> out/contact-sheet.jpg, and in 12 new designs -> out/designs-worn.jpg;
#               eight looks on the bundled portrait -> out/makeup-sheet.jpg
# make run PERSON=me.jpg GARMENT=shirt.jpg -> out/result.png
# make test     set up everything and run the tests
# make check    formatting, types and the layer rule
# make lock     solve the lock files anew from pyproject.toml

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Not in the lock file: which build of torch fits depends on the machine. It is installed first, as locked packages need it.
TORCH ?= torch==2.13.0

.PHONY: run designs test check format lock clean
.DEFAULT_GOAL := run

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mojing needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python requirements.lock pyproject.toml
	$(PIP) install -q --require-hashes -r requirements.lock
	$(PIP) install -q --no-deps -e .
	touch $@

$(VENV)/.dev: $(VENV)/.base requirements-dev.lock
	$(PIP) install -q '$(TORCH)'
	$(PIP) install -q --require-hashes -r requirements-dev.lock
	touch $@

run: $(VENV)/.base
ifdef PERSON
	$(if $(GARMENT),,$(error give GARMENT=PHOTO too))
	$(BIN)/mojing tryon '$(PERSON)' '$(GARMENT)' -o out/result.png
else
	$(BIN)/mojing examples examples -o out/contact-sheet.jpg
	$(BIN)/mojing makeup sheet examples/faces/astronaut.jpg -o out/makeup-sheet.jpg
	@test ! -f src/mojing/models/design.onnx || $(MAKE) --no-print-directory designs
endif

designs: $(VENV)/.base
	$(BIN)/mojing design --kind dress,t-shirt,skirt,pants --n 12 --seed 7 --size 512 --out out/designs
	$(BIN)/mojing design wear out/designs examples/people/anna.jpg examples/people/kofi.jpg examples/people/mei.jpg \
		-o out/designs-worn.jpg

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

PIP_COMPILE = .venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --no-header \
	--no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q pip-tools
	echo '$(TORCH)' > .venv-lock/constraints.txt
	$(PIP_COMPILE) --upgrade -o requirements.lock pyproject.toml
	$(PIP_COMPILE) --upgrade --extra train --extra dev --unsafe-package torch \
		-c .venv-lock/constraints.txt -c requirements.lock -o requirements-dev.lock pyproject.toml
	sed -i '/^# WARNING: The following packages were not pinned/,$$d' requirements-dev.lock

clean:
	rm -rf out .mypy_cache .pytest_cache .ruff_cache .hypothesis
