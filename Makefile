# Every target sets up what it needs; the second time nothing is installed again.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: demo test lint bench bench-city bench-live bench-queries campaign clean lock

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgres,cluster,console,parquet,dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/csms demo

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m tests.bench

# All 115,100 chargers of a city on one server, five minutes at the rate at which they really speak; ten minutes.
# `CITY="--chargers 20000 --seconds 60"` is a smaller one. Exit code 1 when an aim is missed.
bench-city: $(STAMP)
	$(BIN)/python -m tests.bench.city $(CITY)

# What an Overview that somebody has open costs the server at 1,000 messages/s; three minutes. Exit code 1 when it is
# 1 % of a core or more.
bench-live: $(STAMP)
	$(BIN)/python -m tests.bench.live

# 100,000 stations and ten million sessions, kept in build/; some minutes to fill. `QUERIES="--database
# postgresql://..."` asks PostgreSQL instead, `QUERIES=--no-fill` asks again. Exit code 1 when an answer is slow.
bench-queries: $(STAMP)
	$(BIN)/python -m tests.bench.queries $(QUERIES)

# 2,000 sessions of three operators, their cities in trouble; ten minutes. Exit code 1 when a ledger differs.
campaign: $(STAMP)
	$(BIN)/python -m tests.campaign.city

# Writes the exact versions this tree was tested with; run after changing pyproject.toml.
lock: $(STAMP)
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
