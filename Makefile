# Each target makes .venv by itself, on a machine with nothing but Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python

.PHONY: help install demo photos test lint format clean
help:
	@echo "make demo    draw an album and search it; downloads no models"
	@echo "make photos PHOTOS=DIR    find, cluster and index your own photos: steps 01, 02, 04 and 05"
	@echo "make test    install what is needed, run the tests"
	@echo "make lint    ruff: rules and format; import-linter: which room may import which"
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
	$(PY) scripts/02_cluster_faces.py $(DEMO)
	$(PY) scripts/03_name_people.py $(DEMO) --name 1=Kofi --name 2=Maya --name 3=Zoë --name 4=Kim --name 5=Noor \
	    --save outputs/1_people.png --no-show --no-build
	$(PY) scripts/04_extract_geo.py $(DEMO) --map outputs/2_map.png --no-show
	$(PY) scripts/05_build_collections.py $(DEMO) --map outputs/8_vectors.png --timeline outputs/9_timeline.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "maya on the beaches of goa" --save outputs/3_maya_in_goa.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "a red boat on a lake" --save outputs/4_red_boat.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "kofi and noor in paris last summer" --save outputs/5_relaxed.png --no-show
	$(PY) scripts/06_search.py $(DEMO) "snow" --image "$$(ls data/demo/album/*/*.jpg | head -n 1)" \
	    --save outputs/6_like_this_with_snow.png --no-show
	$(PY) scripts/07_classify.py $(DEMO) "$$(ls data/demo/album/*/*.jpg | head -n 1)" \
	    --save outputs/7_classes.png --no-show
	@echo
	@echo "Look at"
	@echo "  data/demo/album/                     the photos, and what is true of them in album.truth.json"
	@echo "  outputs/1_people.png                 whom 02 found, some of them named by 03"
	@echo "  outputs/2_map.png                    where the photos were taken"
	@echo "  outputs/3_maya_in_goa.png            a sentence: who, where and what, one filtered search"
	@echo "  outputs/4_red_boat.png               another, about the picture alone"
	@echo "  outputs/5_relaxed.png                no photo fits this one: what is shown instead, and that it is"
	@echo "  outputs/6_like_this_with_snow.png    like a photo, but with snow"
	@echo "  outputs/7_classes.png                what a photo shows"
	@echo "  outputs/8_vectors.png                what CLIP finds alike lies together"
	@echo "  outputs/9_timeline.png               when, and with whom"
	@echo "Type next"
	@echo "  $(PY) scripts/06_search.py $(DEMO)          asks for queries: zoë at night, a dog in norway"
	@echo "  $(PY) scripts/01_extract_features.py -i YOUR_PHOTOS    with config.yaml and public models"

# PHOTOS is one folder; without it, those of config.yaml
photos: $(STAMP)
	$(PY) scripts/00_run_steps.py $(if $(PHOTOS),-i "$(PHOTOS)")

test: $(STAMP)
	$(PY) -m pytest -n 2 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis build
