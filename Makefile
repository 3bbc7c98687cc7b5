# Every target works on a fresh machine with Python 3.11 or newer, and installs what it needs into .venv.
# ARGS passes options on: make demo ARGS="--records 200000 --broker apache"
PYTHON ?= python3
ARGS ?=
STAGE ?= dev
CDK ?= .github/scripts/cdk.sh
given = $(or $($1),$(error make $@ takes $1=...))
BIN := .venv/bin
SANDBOX := .venv/.sandbox
DEV := .venv/.dev
WHEEL := build/wheel

# Go's checksum database verifies these, so a version is as good as a hash.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GITLEAKS := github.com/zricethezav/gitleaks/v8@v8.30.1
SYFT := github.com/anchore/syft/cmd/syft@v1.57.0
COSIGN := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
ENVTEST := sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1
GRYPE := github.com/anchore/grype/cmd/grype@v0.121.2

.DEFAULT_GOAL := help
.PHONY: help setup kafka demo up bench smoke unit test simulate chaos fuzz lint types workflows check format docs lock
.PHONY: synth diff deploy difference api-server wheel image image-sbom image-scan image-sign image-verify push sign verify sbom audit secrets terraform clean

help: ## List the targets
	@if [ -t 1 ]; then bold='\033[1m' plain='\033[0m'; fi; \
	awk -F ':.*## ' -v bold="$$bold" -v plain="$$plain" '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %smake %-12s%s %s\n", bold, $$1, plain, $$2}' $(MAKEFILE_LIST)

##@ Try it

demo: kafka $(SANDBOX) ## Run the demo on this machine: a burst, a handover, a killed worker, a check of every record
	@$(BIN)/tandem demo $(ARGS)

up: kafka $(DEV) ## Keep a stage running on this machine, which every command finds: ARGS="--detach", ARGS=--fresh
	@$(BIN)/tandem up $(ARGS)

bench: kafka $(SANDBOX) ## Measure Tandem beside its peers (about 12 minutes); ARGS=--quick takes two
	@$(BIN)/tandem bench $(ARGS)

# Only a stage that is named is a deployed one. POD=NAMESPACE/POD reaches it from there, HANDOVER="..." hands the pipeline over.
smoke: kafka $(SANDBOX) ## Send logins through a stage and check every effect: STAGE=dev POD=tandem-admin/admin; else in the sandbox
	@$(BIN)/tandem smoke --stage $(if $(filter file,$(origin STAGE)),sandbox,$(STAGE)) \
		$(if $(POD),--pod $(POD)) $(if $(HANDOVER),--handover "$$HANDOVER") $(ARGS)

##@ Develop

setup: $(DEV) ## Install everything into .venv (the other targets install what they need)

# Two locks in one .venv: what the demo and the unit tests need, and everything on top of it.
$(SANDBOX): requirements-sandbox.txt pyproject.toml .ci/setup
	@PYTHON="$(PYTHON)" .ci/setup requirements-sandbox.txt
	@touch $@

$(DEV): requirements-dev.txt $(SANDBOX)
	@PYTHON="$(PYTHON)" .ci/setup requirements-dev.txt
	@touch $@

# Fetches Kafka's jars in the background, while packages are installed. Whatever needs them waits for them.
kafka:
	@$(PYTHON) -m sandbox.broker.jars </dev/null >/dev/null 2>&1 &

# More processes than cores, because some tests wait for librdkafka's mock cluster.
unit: $(SANDBOX) ## Run the unit tests
	@$(BIN)/python -m pytest -n 3 --dist worksteal tests/unit $(ARGS)

# Integration tests that fail run a second time, and the summary shows why: docs/decisions/0020.
RERUNS := -r fER --rerun-show-tracebacks --max-suite-reruns 3

# Only the whole suite reaches the coverage that pyproject.toml requires.
test: kafka $(DEV) ## Run all tests, on Apache Kafka where Java and Maven are installed; ARGS="tests/contracts -x" for some
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(RERUNS) $(if $(ARGS),,--cov --cov-report=term) $(ARGS)

lint: $(DEV) ## Check style, format and layers
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo

types: $(DEV) ## Check types
	@$(BIN)/mypy

workflows: $(DEV) ## Check GitHub's workflows, the scripts and the Dockerfile
	@$(BIN)/zizmor --offline --quiet --persona pedantic .github
	@$(BIN)/shellcheck .ci/run .ci/setup .github/scripts/*.sh
	@$(BIN)/hadolint functions/Dockerfile
	@if command -v go >/dev/null; then go run $(ACTIONLINT) -shellcheck $(BIN)/shellcheck; \
	else echo "skipped actionlint: it needs Go"; fi

check: kafka lint types workflows test ## Run what CI runs: lint, types, workflows, test

format: $(DEV) ## Format the code and fix what Ruff can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(DEV) ## Write the parts of the docs that are generated from the code
	@$(BIN)/python -m tests.docs

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml
# The extras that the pipelines' codecs need: the zip is installed from requirements.txt, the image from requirements-image.txt.
EXTRAS = $(shell $(BIN)/python -c 'from functions.registry import extras; print(*(f"--extra {name}" for name in extras()))')
lock: $(DEV) ## Renew the locks: requirements.txt (runtimes), -image.txt (the image), -sandbox.txt (demo, unit tests), -dev.txt (everything)
	@$(COMPILE) $(EXTRAS) -o requirements.txt
	@$(COMPILE) $(EXTRAS) --extra console --extra kubernetes -c requirements.txt -o requirements-image.txt
	@$(COMPILE) $(EXTRAS) --extra console -c requirements-image.txt --group sandbox -o requirements-sandbox.txt
	@$(COMPILE) --all-extras -c requirements-image.txt -c requirements-sandbox.txt --group dev -o requirements-dev.txt

clean: ## Delete .venv and everything that was built
	@rm -rf .venv build cdk.out

##@ Search for faults

simulate: $(DEV) ## Run random schedules of the settlement protocol; ARGS="--seed N" replays one
	@$(BIN)/python -m tests.simulation $(ARGS)

chaos: kafka $(DEV) ## Settle a million records in real processes under at least 50 faults (about 15 minutes)
	@$(BIN)/python -m tests.chaos --records 1000000 --faults 54 --session 6 --in-flight 16 $(ARGS)

fuzz: $(DEV) ## Decode a million random inputs, as events and as records
	@$(BIN)/python -m tests.fuzz --inputs 1000000 $(ARGS)

##@ Deploy

synth: $(DEV) ## Synthesise and check both stages into cdk.out; needs no account
	@$(BIN)/python app.py

diff: $(DEV) ## Show what a deployment would change: STAGE=dev
	@$(CDK) diff "$(STAGE)/*" $(ARGS)

deploy: $(DEV) ## Deploy a stage with the current credentials: STAGE=dev
	@$(BIN)/python -m cdk.handovers "$(STAGE)"
	@$(CDK) deploy "$(STAGE)/*" $(ARGS)

difference: $(DEV) ## Show how the templates differ from those of the commit BASE; needs no account
	@.github/scripts/difference.sh $(call given,BASE)

api-server: ## Download a Kubernetes API server for the tests of k8s/, and print the folder for KUBEBUILDER_ASSETS (needs Go)
	@go run $(ENVTEST) use --print path 1.35.x

terraform: ## Check k8s/terraform: format, and plans against mocked providers (needs Terraform and its registry)
	@terraform -chdir=k8s/terraform fmt -check -recursive
	@terraform -chdir=k8s/terraform init -backend=false -input=false
	@terraform -chdir=k8s/terraform test

##@ Release

wheel: $(SANDBOX) ## Build the wheel, which holds functions/ and nothing else
	@$(BIN)/python -m hatchling build --target wheel --directory $(WHEEL)

# The image stays an archive until it is pushed, so that every stage gets the same one, down to its digest.
PLATFORMS ?= linux/arm64,linux/amd64
IMAGE := build/image.tar
image: $(IMAGE) ## Build the worker's image (needs Docker); PLATFORMS=linux/arm64 for one platform
$(IMAGE): functions/Dockerfile requirements-image.txt pyproject.toml $(shell find functions -name '*.py')
	@mkdir -p build
	@docker buildx build --platform $(PLATFORMS) --file functions/Dockerfile --provenance mode=max \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" --build-arg REVISION="$$(git rev-parse HEAD)" \
		--output type=oci,dest=$@ --metadata-file build/image.json .

image-sbom: $(IMAGE) ## List everything in the image, including Debian's packages (needs Go)
	@mkdir -p build/sbom
	@go run $(SYFT) --quiet scan oci-archive:$(IMAGE) -o cyclonedx-json=build/sbom/image.cdx.json

image-scan: $(IMAGE) ## Scan the image for known vulnerabilities that have a fix (needs Go)
	@go run $(GRYPE) --quiet --only-fixed --fail-on high oci-archive:$(IMAGE)

# The digest of an image is the hash of its manifest, so a signature of the manifest is one of the image, before any registry has it.
MANIFEST := build/image.manifest.json
ISSUER := https://token.actions.githubusercontent.com
image-sign: $(IMAGE) ## Sign the image and its SBOM as the current workflow, and print the image's digest (needs Go, skopeo)
	@skopeo inspect --raw oci-archive:$(IMAGE) >$(MANIFEST)
	@go run $(COSIGN) sign-blob --yes --bundle build/image.sigstore.json $(MANIFEST) >&2
	@go run $(COSIGN) sign-blob --yes --bundle build/sbom/image.sigstore.json build/sbom/image.cdx.json >&2
	@echo "sha256:$$(sha256sum <$(MANIFEST) | cut -c 1-64)"

image-verify: ## Fail unless the image is DIGEST, and SIGNER, a workflow's URL at GitHub, signed it and its SBOM (needs Go, skopeo)
	@skopeo inspect --raw oci-archive:$(IMAGE) >$(MANIFEST)
	@echo "$(patsubst sha256:%,%,$(call given,DIGEST))  $(MANIFEST)" | sha256sum --check --quiet
	@go run $(COSIGN) verify-blob --bundle build/image.sigstore.json --certificate-identity $(call given,SIGNER) \
		--certificate-oidc-issuer $(ISSUER) $(MANIFEST)
	@go run $(COSIGN) verify-blob --bundle build/sbom/image.sigstore.json --certificate-identity $(call given,SIGNER) \
		--certificate-oidc-issuer $(ISSUER) build/sbom/image.cdx.json

push: ## Copy the image to REPOSITORY unless it is there already, and print its digest; DIGEST=... refuses another (needs skopeo)
	@.github/scripts/push.sh $(IMAGE) $(call given,REPOSITORY) $(DIGEST)

sign: ## Sign DIGEST in REPOSITORY, and its SBOM, as the current workflow (needs Go)
	@go run $(COSIGN) sign --yes $(call given,REPOSITORY)@$(call given,DIGEST)
	@go run $(COSIGN) attest --yes --type cyclonedx --predicate build/sbom/image.cdx.json $(call given,REPOSITORY)@$(call given,DIGEST)

verify: ## Fail unless SIGNER, a workflow's URL at GitHub, signed DIGEST in REPOSITORY (needs Go)
	@go run $(COSIGN) verify --certificate-identity $(call given,SIGNER) \
		--certificate-oidc-issuer $(ISSUER) $(call given,REPOSITORY)@$(call given,DIGEST) >/dev/null

##@ Supply chain

sbom: $(DEV) ## List the Python packages of the zip and the image, as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements-image.txt --pyproject pyproject.toml --output-reproducible -o build/sbom/python.cdx.json

audit: $(DEV) ## Look up known vulnerabilities of every locked package at PyPI
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.txt -r requirements-image.txt -r requirements-sandbox.txt -r requirements-dev.txt

secrets: ## Search the whole history for secrets (needs Go)
	@go run $(GITLEAKS) git --no-banner --redact .
