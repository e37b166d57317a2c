# `make check` before every commit; `make test` is every test that needs no real data.
.PHONY: check test bench set-up

check: set-up
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest -q tests/unit tests/contract

test:
	python3 run.py test

bench:
	python3 run.py bench loop

set-up:
	python3 run.py test --help > /dev/null
