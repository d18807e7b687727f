# The doors of this repository. What they do is in tools/, in Python; each needs nothing but make and a Python.
# Environments are made on first use, from requirements/*.txt, in a cache outside this directory.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help region region-down test test-fast bench docs lock

PYTHON_FOUND = "$$(sh tools/python.sh)"
REGION_DIR ?= build/embedded
REGION_PORT ?= 20000
BENCH ?= region accelerators identity

help: ## say what there is
	@echo "make region       start the embedded region, plan it, build it, verify it with a GPU server"
	@echo "                  (REGION_DIR=build/second REGION_PORT=21000 for another one beside it)"
	@echo "make region-down  stop it; nothing keeps running"
	@echo "make test         every test that this machine allows (FULL=1 for the rare and long ones too)"
	@echo "make test-fast    lint, sanity, unit and contract tests on one ansible-core: the inner loop"
	@echo "make bench        measure against the embedded region and on simulated hosts, write build/bench and"
	@echo "                  docs/performance.md (BENCH=region, accelerators or identity for one of them)"
	@echo "make docs         generate role READMEs and docs/modules from their specifications"
	@echo "make lock         bring requirements/*.txt up to date with requirements/*.in"

region:
	@$(PYTHON_FOUND) tools/go.py region up --dir "$(REGION_DIR)" --port "$(REGION_PORT)"

region-down:
	@$(PYTHON_FOUND) tools/go.py region down --dir "$(REGION_DIR)"

test:
	@$(PYTHON_FOUND) tools/test.py

test-fast:
	@$(PYTHON_FOUND) tools/test.py --fast

bench:
	@$(if $(filter-out region accelerators identity,$(BENCH)),$(error BENCH is region, accelerators, identity or some of them))
	@$(if $(filter region,$(BENCH)),$(PYTHON_FOUND) tools/go.py bench,:)
	@$(if $(filter accelerators,$(BENCH)),$(PYTHON_FOUND) tools/go.py bench_accelerators,:)
	@$(if $(filter identity,$(BENCH)),$(PYTHON_FOUND) tools/go.py bench_identity,:)

docs:
	@$(PYTHON_FOUND) tools/go.py docs

lock:
	@$(PYTHON_FOUND) tools/lock.py
