# make compose   music one minute after the checkout
# make test      everything that must hold, quickly
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= out

.PHONY: compose test lint test-quick test-slow test-browser pictures check-bundle format clean

compose: $(VENV)/.composer
	$(BIN)/kapelle compose folk --bars 16 --out $(OUT) --formats mid,mp3,musicxml,png

test: lint test-quick

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-quick: $(VENV)/.developer
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: $(VENV)/.developer
	$(BIN)/pytest -m slow

# Needs a Chromium: apt-get install chromium
BROWSER ?= /usr/bin/chromium
test-browser: $(VENV)/.developer
	$(BIN)/pip install --quiet --constraint constraints.txt --group browser
	KAPELLE_BROWSER=$(BROWSER) $(BIN)/pytest tests/browser

# Pictures of every view of the studio
pictures: $(VENV)/.developer
	$(BIN)/pip install --quiet --constraint constraints.txt --group browser
	$(BIN)/python tests/browser/pictures.py $(OUT)/pictures --browser $(BROWSER)

# Is the studio's bundle what its sources in web/ give? Says so where it cannot be known.
check-bundle: $(BIN)/python
	$(BIN)/python web/check.py

format: $(VENV)/.developer
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.composer: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.developer: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[all]' --group dev
	touch $@ $(VENV)/.composer

clean:
	rm -rf $(VENV) build dist
