# LafaekStreet backend. `make` alone prints the commands.

.DEFAULT_GOAL := help
SHELL := /bin/sh

GO       ?= go
PACKAGES ?= ./...
URL      ?= http://localhost:8000

# Debian's Node.js is older than the CDK's library asks for. It works.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := $(or $(JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION),18)

# Tests get a PostgreSQL of their own, installed first where it is missing.
WITH_DATABASE := $(GO) run ./infra/local/testdb/serve --

# The CDK needs Node.js. If it is missing and the user is not root, the packages that need it are not tested; a note says so.
WITHOUT_CDK = $(GO) list -f '{{.ImportPath}} {{.Deps}} {{.TestImports}} {{.XTestImports}}' $(PACKAGES) | grep -v jsii-runtime-go | cut -d ' ' -f 1
TESTED = $$(if command -v node >/dev/null; then echo '$(PACKAGES)'; else \
	echo 'note: Node.js is missing and only root can install it: the tests of the CDK app are left out' >&2; $(WITHOUT_CDK); fi)

GOLANGCI   := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
ACTIONLINT := $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

.PHONY: help
help: ## Print this
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Run the whole system on this machine (reads PORT, DATABASE_URL, DATABASE_OWNER_URL, CACHE_URL, AWS_ENDPOINT_URL)
	@mkdir -p .run
	@if [ ! -e .run/postgres ]; then $(GO) run ./infra/local/postgres/fetch & fi; \
	$(GO) build -ldflags "$$($(GO) run ./infra/binary/version -ldflags)" -o .run/local ./infra/local && wait
	@exec .run/local

.PHONY: demo
demo: ## Play the story of a report over HTTP (URL=…, PHOTO=…, WITHOUT="ai ledger"; DEMO_EMAIL, DEMO_PASSWORD)
	@$(GO) run ./infra/local/demo -url $(URL) $(if $(PHOTO),-photo $(PHOTO)) $(if $(WITHOUT),-without "$(WITHOUT)")

# The environment configures these commands; without DATABASE_URL they work with the system of this machine (.run/env).
WITH_SETTINGS := set -a; [ -n "$$DATABASE_URL" ] || [ ! -f .run/env ] || . ./.run/env; set +a;

# With STAGE, these commands run in the deployed system, where the database is: see "Commands in a stage" in infra/RUNBOOK.md.
OPERATE = $(if $(STAGE),,$(WITH_SETTINGS)) $(GO) run ./functions/migrate/operate/cmd -stage "$(STAGE)"

.PHONY: fsck
fsck: ## Check all records of the ledger and name the first difference (STAGE=… for a deployed system)
	@$(if $(STAGE),$(OPERATE) $(ARGS) fsck,$(WITH_SETTINGS) $(GO) run ./functions/anchor/fsck/cmd $(ARGS))

.PHONY: sql
sql: ## Run one statement that only reads (SQL='SELECT …', STAGE=… for a deployed system)
	@$(OPERATE) -sql "$$SQL" sql

.PHONY: new-epoch
new-epoch: ## After a restore, tell apps that follow changes to begin again (STAGE=… for a deployed system)
	@$(OPERATE) new-epoch

.PHONY: ledger
ledger: ## Operate the ledger (DO=status, check-key, create-topic, resume; STAGE=… of a deployment, ACCOUNT=0.0.N before it is set)
	@$(if $(STAGE),,$(WITH_SETTINGS)) $(GO) run ./functions/anchor/ledgerctl $(if $(STAGE),-stage $(STAGE)) $(if $(ACCOUNT),-account $(ACCOUNT)) $(or $(DO),status)

.PHONY: log-recover
log-recover: ## Bring a restored backup up to the public log; see infra/RUNBOOK.md
	@$(WITH_SETTINGS) $(GO) run ./functions/anchor/logrecover/cmd

.PHONY: import-boundaries
import-boundaries: ## Load polygons from GeoJSON (FILE=…, LEVEL=municipality|district|suco, NAME=, PARENT=, CODE= properties, STAGE=)
	@$(OPERATE) -file "$(FILE)" $(if $(LEVEL),-level $(LEVEL)) $(if $(NAME),-name $(NAME)) $(if $(PARENT),-parent $(PARENT)) $(if $(CODE),-code $(CODE)) import

.PHONY: import-names
import-names: ## Load names of small places from GeoJSON points, for maps and searches (FILE=…, NAME=, MUNICIPALITY= properties, STAGE=)
	@$(OPERATE) -file "$(FILE)" -level locality $(if $(NAME),-name $(NAME)) -parent $(or $(MUNICIPALITY),municipality) import

.PHONY: redrive
redrive: ## Send the dead letters of a queue to it again (QUEUE=images, validate, anchor, notify, geocode, webhooks, fetch; STAGE=…)
	@$(if $(STAGE),,$(WITH_SETTINGS)) $(GO) run ./functions/relay/redrive -queue "$(QUEUE)" -stage "$(STAGE)"

.PHONY: reset-second-factor
reset-second-factor: ## Take the second factor of a person away, as of the last administrator (EMAIL=…, REASON=…)
	@$(WITH_SETTINGS) $(GO) run ./functions/admin/secondfactor/cmd -email "$(EMAIL)" -reason "$(REASON)"

.PHONY: eval-ai
eval-ai: ## Score labelled pictures against the configured model (DIR=…, a folder for each issue type and one named irrelevant; ARGS=…)
	@$(WITH_SETTINGS) $(GO) run ./functions/validate/eval -dir "$(DIR)" $(ARGS)

.PHONY: screenshots
screenshots: chromium ## Take a picture of every page: three widths, three languages, light and dark (DIR=.run/screenshots, SCENES=regexp)
	@mkdir -p $(or $(DIR),.run/screenshots)
	$(WITH_DATABASE) env SCREENSHOTS=$(abspath $(or $(DIR),.run/screenshots)) $(GO) test -count=1 -timeout 60m -run TestScreenshots ./functions/web

.PHONY: assets
assets: node_modules ## Update the libraries that the pages contain
	@for part in shared worker index; do \
		{ head -4 node_modules/maplibre-gl/dist/maplibre-gl.js; sed -n "/^define(\"$$part\"/,/^\(\/\/\)\?$$/p" node_modules/maplibre-gl/dist/maplibre-gl.js; } | \
		gzip -9 -n > functions/web/static/maplibre-$$part.js.gz; done
	@{ echo '/* PMTiles, BSD-3-Clause, https://github.com/protomaps/PMTiles */'; grep -v '^//# sourceMappingURL' node_modules/pmtiles/dist/pmtiles.js; } | \
		gzip -9 -n > functions/web/static/pmtiles.js.gz
	@gzip -9 -n -c node_modules/axe-core/axe.min.js > infra/local/browser/axe.min.js.gz
	@# ReDoc shows its maker's logo from another site. The policy of the page forbids that, so it shows our icon instead.
	@sed 's|https://cdn.redoc.ly/redoc/logo-mini.svg|/docs/favicon-32x32.png|' node_modules/redoc/bundles/redoc.standalone.js | \
		gzip -9 -n > functions/meta/pages/redoc.standalone.js.gz

.PHONY: openapi
openapi: node_modules ## Write the OpenAPI documents from the code, and check them
	$(GO) run ./infra/local/openapi/write
	REDOCLY_TELEMETRY=off npx --no-install redocly lint --format=stylish
	npx --no-install spectral lint --fail-severity=warn functions/meta/openapi.json functions/meta/openapi-3.0.json functions/meta/journey-client.json

.PHONY: test
test: node chromium gpsbabel valkey pgbouncer ## Run all tests (PACKAGES=./functions/... for a part, P=packages at a time)
	$(WITH_DATABASE) $(GO) test -p $(or $(P),3) -timeout 60m $(TESTED)

.PHONY: answers
answers: node chromium gpsbabel valkey pgbouncer ## Run all tests, then list the documented error codes that no test got
	@rm -rf .run/answers && mkdir -p .run/answers
	ANSWERS_DIR=$(CURDIR)/.run/answers $(WITH_DATABASE) $(GO) test -count=1 -p $(or $(P),3) -timeout 60m $(TESTED)
	@$(GO) run ./infra/local/answers/report .run/answers

.PHONY: test-race
test-race: chromium gpsbabel valkey pgbouncer ## Run all tests with the race detector, except those of the CDK app: jsii has a race of its own when it closes
	$(WITH_DATABASE) $(GO) test -race -timeout 30m $$($(WITHOUT_CDK))

.PHONY: interop
interop: ## Check the public log with other people's software: Tessera, torchwood, a witness (a module of its own)
	cd infra/interop && $(GO) vet ./... && $(GO) test -timeout 10m ./...

.PHONY: templates
templates: node infra/servicespec/node_modules ## Check the templates by AWS's specification of its resources and by cdk-nag (a minute)
	TEMPLATES=1 $(GO) test -count=1 -timeout 15m -run TestTemplates ./infra

infra/servicespec/node_modules: infra/servicespec/package.json infra/servicespec/package-lock.json
	cd infra/servicespec && npm ci --ignore-scripts
	@touch $@

.PHONY: emulators
emulators: ## Check what we ask of S3 and KMS against other people's emulators: versitygw, local-kms (about 3 minutes the first time)
	GOBIN=$(CURDIR)/.run/emulators $(GO) install github.com/versity/versitygw/cmd/versitygw@v1.8.0
	GOBIN=$(CURDIR)/.run/emulators $(GO) install github.com/nsmithuk/local-kms@v0.0.0-20260228092603-2a5e92d09ab6
	EMULATORS=$(CURDIR)/.run/emulators $(WITH_DATABASE) $(GO) test -count=1 -timeout 10m ./infra/local/emulators

.PHONY: sdks
sdks: node java infra/local/sdks/node_modules ## Check that other people's generators make working clients of the document (about 5 minutes)
	SDKS=1 $(WITH_DATABASE) $(GO) test -count=1 -timeout 30m ./infra/local/sdks

infra/local/sdks/node_modules: infra/local/sdks/package.json infra/local/sdks/package-lock.json
	cd infra/local/sdks && npm ci --ignore-scripts
	@touch $@

.PHONY: java
java:
	@infra/local/setup/package.sh Java "no client is generated for Dart" default-jre-headless -- java

.PHONY: fuzz
fuzz: ## Search for inputs that break a parser (FUZZTIME=10m each, JOBS=2 at a time, TARGETS=a regular expression)
	@$(WITH_DATABASE) infra/local/setup/fuzz.sh

LOAD := $(GO) run ./infra/local/load $(if $(DURATION),-duration $(DURATION)) $(if $(RATE),-rate $(RATE)) $(ARGS)

.PHONY: load
load: ## Play users at a steady rate on a system of its own, then look for every accepted write (DURATION=1m, RATE=4, ARGS=-url=…)
	@$(if $(findstring -url,$(ARGS)),$(WITH_SETTINGS)) $(LOAD)

.PHONY: chaos
chaos: ## Like load, while one part after another fails (DURATION=5m, RATE=4)
	@$(LOAD) -chaos

.PHONY: e2e
e2e: node ## Run the built functions wired as the synthesized template says
	$(WITH_DATABASE) $(GO) test -count=1 -timeout 30m -run 'TestDeployed|TestMistakesAreSeen' ./infra

.PHONY: bench
bench: ## Measure on generated data (SIZE=10k, 100k, 1m or 10m reports; ONLY=part,… and ROWS=regexp for some of it)
	@$(GO) run ./infra/local/bench/run -size $(or $(SIZE),10k) $(if $(ONLY),-only $(ONLY)) $(if $(ROWS),-rows '$(ROWS)')

.PHONY: cost
cost: ## Print what a month costs (REPORTS=1000000 PROFILE=external or managed line by line; without them decision 0014's table)
	@$(GO) run ./infra/cost/print $(if $(REPORTS),-reports $(REPORTS)) $(if $(PROFILE),-profile $(PROFILE))

.PHONY: lint
lint: ## Check format, vet and lint
	@unformatted=$$(gofmt -l functions infra migrations shared); \
	if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	$(GO) vet ./...
	GOFLAGS=-buildvcs=false $(GOLANGCI) run ./...
	$(ACTIONLINT)

.PHONY: licences
licences: ## List the licences of everything that is linked into a function
	@$(GO) run ./infra/local/licences

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what is called (needs https://vuln.go.dev, or ARGS=-db=…)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.8.0 $(ARGS) ./functions/... ./shared/... ./migrations/...

.PHONY: build
build: ## Build every function for Lambda and print its size beside its budget
	@$(GO) run ./infra/binary/build

.PHONY: version
version: ## Print the version of this working tree, from CHANGELOG.md
	@$(GO) run ./infra/binary/version

.PHONY: synth
synth: node_modules ## Write the CloudFormation templates to cdk.out
	npx cdk synth --quiet

.PHONY: diff
diff: node_modules ## Compare with what is deployed
	npx cdk diff

.PHONY: preflight
preflight: ## Check the AWS account, the secrets and the database before a deploy, and say what to do
	@$(GO) run ./infra preflight

.PHONY: deploy
deploy: node_modules ## Deploy to the AWS account of the environment
	@mkdir -p .run
	npx cdk deploy --all --outputs-file .run/outputs.json $(ARGS)
	@$(GO) run ./infra after-deploy

.PHONY: refresh-secrets
refresh-secrets: node_modules ## Deploy with every function made anew, so that it reads its secrets again
	npx cdk deploy --all -c revision=$$(date -u +%Y%m%dT%H%M%SZ) $(ARGS)

node_modules: node package.json package-lock.json
	npm ci
	@touch $@

.PHONY: node
node:
	@command -v node >/dev/null || [ "$$(id -u)" -ne 0 ] || $(GO) run ./infra/local/nodejs

.PHONY: chromium
chromium:
	@infra/local/setup/package.sh Chromium "pages are not tested in a browser" chromium-headless-shell chromium -- /usr/lib/chromium/chromium-headless-shell chromium chromium-browser google-chrome

.PHONY: gpsbabel
gpsbabel:
	@command -v gpsbabel >/dev/null || $(GO) run ./infra/local/gpsbabel/install

.PHONY: valkey
valkey:
	@infra/local/setup/package.sh Valkey "the cache is tested in process alone" valkey-server redis-server -- valkey-server redis-server

.PHONY: pgbouncer
pgbouncer:
	@infra/local/setup/package.sh PgBouncer "the database behind a pooler is not tested" pgbouncer -- pgbouncer /usr/sbin/pgbouncer

.PHONY: clean
clean: ## Remove everything that was built or kept locally, the local database included
	rm -rf .run cdk.out coverage.out dist node_modules
