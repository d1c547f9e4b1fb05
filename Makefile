# The table of contents of what one can do here. `make run` and `make test` set up all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
# two cores have work for three workers; tests that look at real time mostly wait, and run after the others:
# one that fails is tried once more, and listed as RERUN
COMPUTE := -n 3 --dist worksteal -m "not live and not realtime and not windows and not packages"
# only the files with such tests: to collect all thousands again takes each worker seconds
REALTIME := -n 6 --dist worksteal -m realtime --reruns 1 $$(grep -rl --include='test_*.py' realtime tests)
# else each of the hundreds of processes that tests start would compile the program anew
unexport PYTHONDONTWRITEBYTECODE
# these would make a Python that is not the one of $(VENV), or one that does not end
unexport PYTHONHOME PYTHONPATH PYTHONPLATLIBDIR PYTHONINSPECT CDPATH
.PHONY: help dist deb release completion web pictures run once status demo demo-cluster test test-packages test-windows check lint type cov format fuzz sweep-follow live bench way clean install uninstall

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run ## record into logs/prices.txt until Ctrl-C
	@exec $(BIN)/python main.py run

once: $(VENV)/.run ## ask once and print the rows
	@$(BIN)/python main.py once

status: $(VENV)/.run ## show the running recorder
	@$(BIN)/python main.py status

demo: $(VENV)/.run ## record from three made-up exchanges that fail now and then; needs no network
	@exec $(BIN)/python -m tests.demo

demo-cluster: $(VENV)/.dev ## two recorders, a database and three nodes, killed now and then; proves what is left
	@exec $(BIN)/python -m tests.demo_cluster

test: $(VENV)/.dev ## run all tests; in CI the checks too
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory check; fi
	$(BIN)/pytest $(COMPUTE)
	$(BIN)/pytest $(REALTIME)
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory test-packages test-windows; \
	else echo "on Windows, under Wine: make test-windows; what people install: make test-packages"; fi

test-packages: web $(VENV)/.dev $(VENV)/.build ## build the wheel and the Debian packages, and install them on machines
	$(BIN)/pytest -n 2 --dist loadfile -m packages --reruns 1 tests/packages

test-windows: $(VENV)/.dev ## run the tests on Windows, under Wine, one after the other
	$(BIN)/python -m tests.windows.setup
	$(BIN)/pytest -n 0 --reruns 1 tests/windows

check: lint type ## ruff, mypy strict, spelling

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell .

type: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows --follow-imports silent price/host price/service price/supervise

cov: $(VENV)/.dev ## test with branch coverage
	$(BIN)/pytest $(COMPUTE) --cov --cov-report=
	$(BIN)/pytest $(REALTIME) --cov --cov-append --cov-report=term-missing:skip-covered

format: $(VENV)/.dev ## bring the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: $(VENV)/.fuzz ## look for inputs that break what reads them; FUZZ="reader --seconds 600"
	$(BIN)/python -m tests.fuzz $(FUZZ)
	$(if $(FUZZ),,$(BIN)/pytest -n auto -m hypothesis --hypothesis-profile=search --timeout=0)

sweep-follow: $(VENV)/.dev ## kill followers and their engines at random, for SWEEP=20 rounds; then their figures
	SWEEP=$${SWEEP:-20} $(BIN)/pytest -s -p no:cacheprovider -o timeout=0 tests/follow -k "at_random or any_step"
	$(BIN)/python -m tests.follow.figures

live: $(VENV)/.dev ## ask the real exchanges, over the internet
	$(BIN)/pytest -m live

bench: $(VENV)/.bench ## measure beside what people would use instead (as root; 40 minutes)
	@if command -v apt-get >/dev/null; then \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends collectd-core curl gcc jq libc6-dev \
	        libcurl3-gnutls libcurl4-openssl-dev libsystemd-dev libyajl2 logrotate mawk postgresql systemd-container time >/dev/null; fi
	@$(BIN)/python -m bench

web: price/web/static/vendor/uPlot.iife.min.js ## bring what the page of `price web` draws its chart with (npm)

price/web/static/vendor/uPlot.iife.min.js: price/web/package-lock.json
	@deploy/make-web.sh

dist: web $(VENV)/.build ## build the wheel and the sdist into dist/
	@$(BIN)/hatchling build -d dist

deb: web $(VENV)/.run $(VENV)/.completion ## build the Debian packages for amd64 and arm64 into dist/
	@DEB_WHEELS=$(VENV) deploy/build-deb.sh $(BIN)/python dist

release: web $(VENV)/.run $(VENV)/.build $(VENV)/.completion ## build all packages of the tagged version into dist/, twice
	@DEB_WHEELS=$(VENV) deploy/release.sh $(BIN)/python

pictures: web $(VENV)/.browser ## take the README's pictures of the page, from a run of a minute (needs chromium)
	@$(BIN)/python -m tests.web.pictures

way: ## count the files and lines that one price passes, as CONTRIBUTING.md lists them
	@sed -n '/^## The way of one price/,/^## /s|^    \(price/[^ ]*\).*|\1|p' CONTRIBUTING.md | xargs wc -l

install: ## install as a service (as root)
	@deploy/install.sh

completion: $(VENV)/.run $(VENV)/.completion ## make completion for bash and zsh, below SHARE=~/.local/share
	@$(BIN)/python deploy/make-completion.py $${SHARE:-$$HOME/.local/share}

uninstall: ## remove the service; keeps settings and data (as root)
	@deploy/uninstall.sh

clean: ## remove the environment and the tools' caches
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .coverage .pictures

$(VENV)/.made:
	@PYTHON="$(PYTHON)" deploy/make-venv.sh $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt $(VENV)/.made
	@deploy/pip.sh $(VENV) -r requirements.txt
	@touch $@

$(VENV)/.%: requirements-%.txt
	@deploy/pip.sh $(VENV) -r $<
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-chart.txt requirements-completion.txt requirements-follow.txt \
    requirements-metrics.txt requirements-supervise.txt requirements-web.txt
$(VENV)/.bench $(VENV)/.browser $(VENV)/.fuzz: $(VENV)/.dev
