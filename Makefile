# Each target makes .venv by itself, on a machine with nothing but Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python

.PHONY: help install demo test lint format clean
help:
	@echo "make demo    draw an album and search it; downloads no models"
	@echo "make test    install what is needed, run the tests"
	@echo "make lint    ruff: rules and format"
	@echo "make format  let ruff mend what it can"
	@echo "make clean   remove .venv and caches (never your data)"

# The stamp is younger than pyproject.toml exactly when the installation is up to date.
STAMP := $(VENV)/.installed
$(STAMP): pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable ".[dev,train]"
	touch $@

install: $(STAMP)

DEMO := -c data/demo/config.yaml

demo: $(STAMP)
	test -f data/demo/album.truth.json || $(PY) scripts/demo/make_album.py data/demo/album
	$(PY) scripts/01_extract_features.py $(DEMO)
	$(PY) scripts/04_extract_geo.py $(DEMO) --map outputs/0_map.png --no-show
	$(PY) scripts/05_build_collections.py $(DEMO)
	$(PY) scripts/06_search.py $(DEMO) "a red boat on a lake" --save outputs/1_red_boat.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "a person on the beach at sunset" --save outputs/2_beach.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "snow" --image "$$(ls data/demo/album/*/*.jpg | head -n 1)" \
	    --save outputs/3_like_this_with_snow.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "a boat" --place bergen --save outputs/5_boats_in_bergen.png --no-show
	$(PY) scripts/07_classify.py $(DEMO) "$$(ls data/demo/album/*/*.jpg | head -n 1)" \
	    --save outputs/4_classes.png --no-show
	@echo
	@echo "Look at"
	@echo "  data/demo/album/                     the photos, and what is true of them in album.truth.json"
	@echo "  outputs/0_map.png                    where they were taken"
	@echo "  outputs/1_red_boat.png               the answer to a sentence"
	@echo "  outputs/2_beach.png                  and to another"
	@echo "  outputs/3_like_this_with_snow.png    like a photo, but with snow"
	@echo "  outputs/4_classes.png                what a photo shows"
	@echo "  outputs/5_boats_in_bergen.png        only photos from there"
	@echo "Type next"
	@echo "  $(PY) scripts/06_search.py $(DEMO)          asks for queries: a dog at night, the city, a blue kite"
	@echo "  $(PY) scripts/01_extract_features.py -i YOUR_PHOTOS    with config.yaml and public models"

test: $(STAMP)
	$(PY) -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build
