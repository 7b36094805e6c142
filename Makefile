# The most important targets: make demo (builds an ISO that boots) and make
# test.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ARCH     := $(shell $(GO) env GOARCH)
CACHE    := .cache
LDFLAGS  := -s -w -X main.version=$(VERSION)

# Local substitutes for registries and releases, where they are unreachable: a
# base image from the distribution's mirror, and components built here.
CONTEXTS := --build-context debian:12-slim=oci-layout://$(CACHE)/base/debian-12-$(ARCH) \
            --build-context kairos-agent=$(CACHE)/components/$(ARCH)/kairos-agent \
            --build-context immucore=$(CACHE)/components/$(ARCH)/immucore

.PHONY: help
help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Build a bootable Debian 12 ISO from nothing, into dist/
	hack/deps.sh build boot
	$(MAKE) build
	@if $(GO) run ./hack/reach testdata/demo 2>/dev/null; then \
		echo "demo: using the registries and releases"; \
		set -x; bin/flavorkit build testdata/demo --target iso -o dist; \
	else \
		echo "demo: using local substitutes"; \
		$(MAKE) base components && set -x && bin/flavorkit build testdata/demo --target iso -o dist $(CONTEXTS); \
	fi
	@echo
	@echo "Boot it here:     bin/flavorkit boot dist/kairos-debian-12-core-$(ARCH)-generic-v1.0.0.iso"
	@echo "Change it:        edit testdata/demo/kairos.spec, and make demo again"
	@echo "What was built:   bin/flavorkit plan -f testdata/demo/kairos.spec"

# Test lanes. Each test of test/integration is in one of them, by name.
E2E       := ^Test(Machine|SecureBoot|Target|TargetFails|DiskFormats|Lock|Bundle)$$
VARIANTS  := ^Test(SecureRecovery|ExtensionMachine|OpenRCExtension|KubernetesExtension|MachineByURL|MachineLent|DiskRecovery|DiskFull|StandardOpenRC|Families|BootToRAM|LockManagers|MatrixBundle)$$
SCHEDULED := ^Test(PowerCut|Foreign|BoardDisk|AllStandIns|Nightly)
# Targets that need root or a network.
NEED_ROOT := /client/engine$$|/internal/qemu$$|/test/testkit$$|/test/integration$$

.PHONY: test-unit
test-unit: ## Run the tests that need neither root nor a network
	$(GO) test $$($(GO) list ./... | grep -vE '$(NEED_ROOT)')

.PHONY: test
test: ## Run what a change needs: unit, golden, integration on real BuildKit, boots
	hack/deps.sh build boot test standins
	$(MAKE) tools base components frontend-image vet
	hack/lane.sh unit -timeout 20m $$($(GO) list ./... | grep -v /test/integration)
	hack/lane.sh integration -timeout 60m -parallel 2 -skip '$(E2E)|$(VARIANTS)|$(SCHEDULED)' ./test/integration

.PHONY: e2e
e2e: ## Follow machines from installation to reset, disks, boot tests, lock files and bundles
	hack/deps.sh build boot test standins
	$(MAKE) base components
	hack/lane.sh e2e -timeout 70m -parallel 2 -run '$(E2E)' ./test/integration

.PHONY: e2e-variants
e2e-variants: ## Boot disks, recovery with Secure Boot, OpenRC, extensions, other families, machines installed in other ways; lock with every package manager; bundle a matrix
	hack/deps.sh build boot test standins
	$(MAKE) base components
	hack/lane.sh e2e-variants -timeout 70m -parallel 2 -run '$(VARIANTS)' ./test/integration

.PHONY: e2e-powercut
e2e-powercut: ## Cut the power of a machine at twenty moments of an upgrade
	hack/deps.sh build boot test
	$(MAKE) base components
	hack/lane.sh e2e-powercut -timeout 120m -run '^TestPowerCut' ./test/integration

.PHONY: e2e-foreign
e2e-foreign: ## Build for arm64 through an emulator, and boot it
	hack/deps.sh build boot test foreign
	$(MAKE) base components
	hack/lane.sh e2e-foreign -timeout 120m -run '^Test(Foreign|BoardDisk)' ./test/integration

.PHONY: test-matrix
test-matrix: ## Build every entry of the matrix for amd64, on stand-ins
	hack/deps.sh build boot test standins
	$(MAKE) base components
	hack/lane.sh matrix -timeout 120m -run '^TestAllStandIns' ./test/integration

.PHONY: test-fuzz
test-fuzz: ## Try specs, and files that we read, that nobody would write, for 21 minutes
	hack/fuzz.sh

.PHONY: test-browser
test-browser: site ## Show the report of a build, and the documentation site, in a browser
	hack/deps.sh browser
	hack/lane.sh browser -timeout 20m -tags browser -run '^TestBrowser' ./client/report ./test/docs

.PHONY: bench
bench: ## Compare with one Dockerfile that makes the same system, and write docs/performance.md: [ROUNDS=3]
	hack/deps.sh build test
	$(MAKE) build tools base components
	$(GO) test ./test/bench -run '^$$' -bench . -benchtime 1x -timeout 6h -rounds $(or $(ROUNDS),3) -record $(abspath docs)

# Every night, on real base images and releases (hack/nightly).
.PHONY: nightly-entries
nightly-entries: ## Print the systems that are tried every night, as JSON
	@$(GO) run ./hack/nightly entries

.PHONY: nightly-entry
nightly-entry: ## Try one of them: ENTRY=debian-12-amd64 [STAGES=check,core] [SUBSTITUTES=1]
	hack/deps.sh build boot test
	$(MAKE) build $(if $(SUBSTITUTES),base components)
	$(GO) run ./hack/nightly run --entry '$(ENTRY)' --stages '$(STAGES)' --log-url '$(LOG_URL)' --registry '$(REGISTRY)' \
		$(if $(SUBSTITUTES),$(CONTEXTS))

.PHONY: nightly-status
nightly-status: ## Put the results into docs/status.json, status.md and flavors.md
	$(GO) run ./hack/nightly merge
	$(GO) generate ./hack/gen/flavors

.PHONY: catalog-check
catalog-check: ## Check the catalog against the distributions' repositories: [DISTROS=debian-12]
	hack/deps.sh build
	$(MAKE) build
	mkdir -p $(CACHE)
	bin/flavorkit catalog check $(DISTROS) --arch $(ARCH) --install --format markdown >$(CACHE)/catalog-check.md

.PHONY: catalog-outdated
catalog-outdated: build ## Compare the catalog with the releases of its publishers
	mkdir -p $(CACHE)
	bin/flavorkit catalog outdated --format markdown >$(CACHE)/catalog-outdated.md

.PHONY: update-catalog
update-catalog: ## After changing the version of a component: update what depends on it
	$(GO) run ./hack/versions
	$(MAKE) update-goldens generate

.PHONY: build
build: ## Build the CLI into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/flavorkit ./cmd/flavorkit

.PHONY: base
base: ## Make the Debian base image from the distro's mirror
	hack/base.sh debian-12

.PHONY: components
components: ## Build kairos-agent and immucore from their Go modules
	hack/components.sh kairos-agent immucore

.PHONY: tools
tools: ## Build buildkitd and buildx, for the tests
	hack/tools.sh

.PHONY: frontend-image
frontend-image: ## Build the frontend image, as an OCI layout
	hack/frontend.sh

.PHONY: lint
lint: vet ## Run all linters
	mkdir -p $(CACHE)/lint
	$(GO) -C hack/lint/go build -o $(abspath $(CACHE))/lint/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(CACHE)/lint/golangci-lint run

.PHONY: vet
vet: ## Check formatting and run go vet
	@test -z "$$(gofmt -l $$(git ls-files -co --exclude-standard "*.go"))" || { gofmt -l $$(git ls-files -co --exclude-standard "*.go"); exit 1; }
	$(GO) vet ./...

.PHONY: fmt
fmt: ## Format Go files and scripts
	gofmt -w $$(git ls-files '*.go')
	$(GO) tool -modfile=hack/lint/files/go.mod shfmt -w $$(git ls-files '*.sh')

.PHONY: generate
generate: ## Generate the JSON schemas and the pages about keys, commands, flavors, targets and status
	$(GO) generate ./...

.PHONY: update-goldens
update-goldens: ## Rewrite the golden plans and graphs
	$(GO) test ./plan ./frontend -update

# The bot that proposes newer versions (.github/renovate.json).
RENOVATE := renovate@44.121.2

.PHONY: renovate
renovate: ## Open pull requests for newer versions; needs RENOVATE_TOKEN
	npx --yes --package '$(RENOVATE)' -- renovate

.PHONY: renovate-check
renovate-check: ## Check the configuration of Renovate
	npx --yes --package '$(RENOVATE)' -- renovate-config-validator --strict .github/renovate.json

# GoReleaser and the tools that it runs, in the versions of
# hack/release/go.mod.
RELEASE_TOOLS := $(abspath $(CACHE)/release)

.PHONY: release-tools
release-tools:
	mkdir -p $(RELEASE_TOOLS)
	$(GO) -C hack/release build -o $(RELEASE_TOOLS)/ tool

.PHONY: release-snapshot
release-snapshot: release-tools ## Build what a release has into dist/, without publishing
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser check
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser release --snapshot --clean --skip=sign,docker,ko

.PHONY: release
release: release-tools ## Publish the release of the tag that is checked out
	hack/release/notes.sh "$$(git describe --exact-match --tags)" >$(RELEASE_TOOLS)/notes.md
	PATH="$(RELEASE_TOOLS):$$PATH" goreleaser release --clean --release-notes $(RELEASE_TOOLS)/notes.md

.PHONY: site
site: ## Make the documentation as a static site, in dist/site
	mkdir -p $(CACHE)/site
	$(GO) -C hack/site build -o $(abspath $(CACHE))/site/ tool
	HUGO_PARAMS_VERSION='$(VERSION)' HUGO_RESOURCEDIR=$(abspath $(CACHE))/site/resources $(CACHE)/site/hugo --source hack/site --cleanDestinationDir --panicOnWarning

.PHONY: clean
clean: ## Remove what was built; .cache is kept
	rm -rf bin dist
