# Each target creates .venv if necessary. Requires only Python 3.11 to 3.13 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python

.PHONY: help install demo photos web test test-services test-web test-scale test-server lint format bench clean
help:
	@echo "make demo    draw an album and search it; downloads no models"
	@echo "make photos PHOTOS=DIR    process and index your own photos: steps 01, 02, 04 and 05"
	@echo "make test    install the dependencies and run the tests"
	@echo "make web     show the demo album in the browser, after make demo"
	@echo "make test-services    test what runs until it is stopped: the watch, and the API for Rescue Box"
	@echo "make test-web    test the web app, in Chromium if it is installed"
	@echo "make test-scale    install Ray and an S3 server of its own, and test with them"
	@echo "make test-server    install a standalone Milvus server in .venv-milvus, and test with it"
	@echo "make lint    check rules and format (ruff) and imports between packages (import-linter)"
	@echo "make format  fix rules and format with ruff where it can"
	@echo "make bench   measure speed and memory against baselines; takes about 20 minutes"
	@echo "make clean   remove .venv and caches; your data is kept"

# The installation is up to date if this file is newer than pyproject.toml.
STAMP := $(VENV)/.installed
$(STAMP): pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable ".[dev,train,web,api]"
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
	@echo "Results"
	@echo "  data/demo/album/                     the photos; data/demo/album.truth.json lists their contents"
	@echo "  outputs/1_people.png                 the people that step 02 found, some of them named in step 03"
	@echo "  outputs/2_map.png                    the places where the photos were taken"
	@echo "  outputs/3_maya_in_goa.png            a sentence with a person, a place and a scene: one filtered search"
	@echo "  outputs/4_red_boat.png               a sentence about the picture alone"
	@echo "  outputs/5_relaxed.png                a sentence that matches no photo: the search is relaxed"
	@echo "  outputs/6_like_this_with_snow.png    photos like a given photo, but with snow"
	@echo "  outputs/7_classes.png                the most probable classes of a photo"
	@echo "  outputs/8_vectors.png                the CLIP vectors on a plane: similar photos are close together"
	@echo "  outputs/9_timeline.png               the photos by month and person"
	@echo "Next steps"
	@echo "  $(PY) scripts/06_search.py $(DEMO)          search interactively: zoë at night, a dog in norway"
	@echo "  $(PY) scripts/01_extract_features.py -i YOUR_PHOTOS    your own photos, with config.yaml and public models"

# PHOTOS is one folder; without it, the folders in config.yaml are used.
photos: $(STAMP)
	$(PY) scripts/00_run_steps.py $(if $(PHOTOS),-i "$(PHOTOS)")

test: $(STAMP)
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Ray, and an S3 server for the tests of buckets.
$(VENV)/.installed-scale: $(STAMP) tests/scale/requirements.txt
	$(PY) -m pip install --quiet --editable ".[scale]" --requirement tests/scale/requirements.txt
	touch $@

test-scale: $(VENV)/.installed-scale
	IMAGESEARCH_TEST_SCALE=1 $(PY) -m pytest tests/scale

# The server's package requires an older setuptools, so it has an environment of its own.
MILVUS := .venv-milvus
$(MILVUS)/.installed: tests/server/requirements.txt
	test -x $(MILVUS)/bin/python || $(PYTHON) -m venv $(MILVUS)
	$(MILVUS)/bin/python -m pip install --quiet --requirement $<
	touch $@

test-server: $(STAMP) $(MILVUS)/.installed
	IMAGESEARCH_MILVUS_SERVER="$(CURDIR)/$(MILVUS)/bin/milvus-server" \
	    $(PY) -m pytest tests/server tests/test_engines.py -k "test_server or standalone"

# The watch, and the server for Rescue Box.
test-services: $(STAMP)
	IMAGESEARCH_TEST_SERVICES=1 $(PY) -m pytest -n 2 --dist loadfile tests/services

# Tests in Chromium are skipped, with a reason, where it is not installed.
test-web: $(STAMP)
	IMAGESEARCH_TEST_WEB=1 IMAGESEARCH_TEST_SECONDS=60 $(PY) -m pytest -n 2 --dist loadfile tests/web

# The demo's album in the browser, after `make demo`.
web: $(STAMP)
	$(PY) scripts/09_web_app.py $(DEMO) || test $$? = 130  # Ctrl-C ends it

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(PY) benchmarks/bench.py

clean:
	rm -rf $(VENV) $(MILVUS) .pytest_cache .ruff_cache .hypothesis build
