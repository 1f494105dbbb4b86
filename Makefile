# The front door. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup build package run test bench bench-control bench-gate bench-portal format lint tidy asan tsan fuzz clean

JOBS ?= $(shell nproc)
PRESET ?= release
ARGS ?=
SECONDS ?= 60
TARGET ?=
export JOBS

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'JOBS=n bounds the parallelism (default: all cores), ARGS="…" reaches the program that is run.'

setup:
	@scripts/stage setup scripts/setup

build: setup ## programs and tests of one preset into build/release (PRESET=dev, asan, tsan, …)
	@scripts/stage build-$(PRESET) scripts/build $(PRESET)

package: setup ## Debian packages of the programs into build/packages
	@scripts/stage package scripts/package

run: setup ## server, edge and a forwarded rule on this machine until Ctrl-C (ARGS=--once: check and exit)
	@scripts/stage build scripts/build release portunus-server portunus-client
	@scripts/demo $(ARGS)

test: ## everything: set-up, build, unit, integration and end-to-end tests, lint, sanitizers
	@scripts/test

bench: ## speed and memory beside other forwarders, in one run
	@scripts/stage setup scripts/setup --bench
	@scripts/stage build scripts/build release
	@bench/run.py $(ARGS)

bench-control: setup ## edges per server, speed of pushes and of the operator API, restart under load
	@scripts/stage build scripts/build release
	@bench/control.py $(ARGS)

bench-gate: ## fails where a run is more than 25 % worse than the stored baselines
	@scripts/stage setup scripts/setup --bench
	@scripts/stage build scripts/build release
	@bench/gate.py $(ARGS)

bench-portal: ## the Portal's two carriers beside other relays that take TLS off, in one run
	@scripts/stage setup scripts/setup --bench
	@scripts/stage build scripts/build release
	@bench/portal_run.py $(ARGS)

format: setup ## rewrites the formatting of all C++ files
	@scripts/lint --format

lint: setup ## layers, events, texts, formatting
	@scripts/lint

tidy: setup ## clang-tidy over all sources (slow)
	@scripts/stage build-dev scripts/build dev
	@run-clang-tidy-19 -quiet -p build/dev -j $(JOBS) '/src/.*\.cpp$$'

asan: setup ## builds and runs the unit tests under ASan + UBSan
	@scripts/stage build-asan scripts/build asan
	@scripts/stage unit-asan ctest --test-dir build/asan -j $(JOBS) --output-on-failure --no-tests=error

tsan: setup ## builds and runs the unit tests under TSan
	@scripts/stage build-tsan scripts/build tsan
	@scripts/stage unit-tsan ctest --test-dir build/tsan -j $(JOBS) --output-on-failure --no-tests=error

fuzz: setup ## runs each fuzz target for a time (SECONDS=60, TARGET=name for one of them)
	@scripts/stage fuzz scripts/fuzz $(SECONDS) $(TARGET)

clean: ## removes all build results and the demo's scratch folder
	rm -rf build .run
