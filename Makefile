# The two commands of a newcomer: `make demo` and `make test`. Everything is idempotent.
.DEFAULT_GOAL := build
.PHONY: demo build test bench claims lint format clean setup setup-test

BUILD ?= build

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

build: setup
	@scripts/build.sh $(BUILD)

demo: build
	@test -f recipes/quickstart.yaml || { echo "plaudit: recipes/quickstart.yaml is not there yet (see README.md)" >&2; exit 2; }
	@$(BUILD)/plaudit run recipes/quickstart.yaml

test: setup-test
	@scripts/build.sh $(BUILD)
	@scripts/test.sh $(BUILD)

bench: setup-test
	@scripts/build.sh $(BUILD)
	@$(BUILD)/plaudit bench lm

claims: build
	@$(BUILD)/plaudit claim all

lint: setup-test
	@scripts/build.sh $(BUILD)
	@scripts/lint.sh $(BUILD)

format:
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean:
	rm -rf build build-debug build-asan build-tsan dist
