# The two commands of a newcomer: `make demo` and `make test`. Everything is idempotent.
.DEFAULT_GOAL := build
.PHONY: demo build test bench claims lint format clean setup setup-test

BUILD ?= build

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

build: setup
	@scripts/build.sh $(BUILD) plaudit_cli

demo: build
	@$(BUILD)/plaudit run recipes/quickstart.yaml

test: setup-test
	@scripts/build.sh $(BUILD)
	@scripts/test.sh $(BUILD)

bench: setup-test
	@scripts/build.sh $(BUILD) plaudit_cli
	@$(BUILD)/plaudit bench lm --json $(BUILD)/bench-lm.json
	@$(BUILD)/plaudit bench control --json $(BUILD)/bench-control.json
	@$(BUILD)/plaudit bench functions --json $(BUILD)/bench-functions.json

claims: build
	@$(BUILD)/plaudit claim all --json $(BUILD)/claims.json

lint: setup-test
	@scripts/build.sh $(BUILD) build.ninja
	@scripts/lint.sh $(BUILD)

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

# What was built goes; .venv and runs/ stay.
clean:
	rm -rf build build-debug build-asan build-tsan dist .pytest_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
