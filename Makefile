# Every target works on a fresh machine with Python 3.11 or newer. ARGS passes options on:
#   make demo ARGS="--records 200000 --broker apache"
PYTHON ?= python3
ARGS ?=
STAGE ?= dev
CDK ?= .github/scripts/cdk.sh
given = $(or $($1),$(error make $@ takes $1=...))
BIN := .venv/bin
STAMP := .venv/.installed

# Go's checksum database vouches for these, so a version is as good as a hash.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GITLEAKS := github.com/zricethezav/gitleaks/v8@v8.30.1
SYFT := github.com/anchore/syft/cmd/syft@v1.57.0
COSIGN := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
GRYPE := github.com/anchore/grype/cmd/grype@v0.121.2

.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate chaos fuzz bench synth diff deploy lint types workflows check format docs lock clean
.PHONY: sbom audit secrets terraform image image-sbom image-scan push sign verify difference

help: ## Show what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything in it, from the lock
$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Tandem needs Python 3.11 or newer, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.13 ...")'
	@echo "Setting up .venv (about a minute the first time)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Run the story on this machine: burst, handover, kill, proof
	@$(BIN)/tandem demo $(ARGS)

# Only the whole meets the coverage that is asked for.
test: setup ## Run every test, on real Kafka where Java and Maven are present; ARGS="tests/unit -x" for a part
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(ARGS),,--cov --cov-report=term) $(ARGS)

simulate: setup ## Random schedules of the protocol; ARGS="--seed N" replays one
	@$(BIN)/python -m tests.simulation $(ARGS)

chaos: setup ## A million records on real parts under at least fifty faults (about a quarter of an hour)
	@$(BIN)/python -m tests.chaos --records 1000000 --faults 54 --session 6 --in-flight 16 $(ARGS)

fuzz: setup ## Look for input that is not told apart: a million inputs
	@$(BIN)/python -m tests.fuzz --inputs 1000000 $(ARGS)

bench: setup ## Measure speed, as ratios in one run
	@$(BIN)/tandem bench $(ARGS)

synth: setup ## Synthesise both stages into cdk.out, asking no account, and check them
	@$(BIN)/python app.py

diff: setup ## What a deployment would change: STAGE=dev
	@$(CDK) diff "$(STAGE)/*" $(ARGS)

deploy: setup ## Deploy a stage with the credentials at hand: STAGE=dev
	@$(CDK) deploy "$(STAGE)/*" $(ARGS)

lint: setup ## Style and architecture
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo

types: setup ## Static types
	@$(BIN)/mypy

workflows: setup ## Lint what ships it: workflows, scripts, Dockerfile
	@$(BIN)/zizmor --offline --quiet --persona pedantic .github
	@$(BIN)/shellcheck .ci/run .github/scripts/*.sh
	@$(BIN)/hadolint functions/Dockerfile
	@if command -v go >/dev/null; then go run $(ACTIONLINT) -shellcheck $(BIN)/shellcheck; \
	else echo "actionlint is skipped: it takes Go"; fi

check: lint types workflows test ## Everything that CI runs

format: setup ## Format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup ## Write the parts of the docs that are made from the code
	@$(BIN)/python -m tests.docs

lock: setup ## Renew the locks: requirements.txt (runtime) and requirements-dev.txt (everything)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --all-extras -c requirements.txt pyproject.toml -o requirements-dev.txt

sbom: setup ## List what the zip and the image carry of Python, as CycloneDX, in build/sbom
	@mkdir -p build/sbom
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --output-reproducible -o build/sbom/python.cdx.json

audit: setup ## Ask PyPI for known vulnerabilities of everything in the locks
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.txt -r requirements-dev.txt

secrets: ## Look for secrets in the whole history (takes Go)
	@go run $(GITLEAKS) git --no-banner --redact .

terraform: ## Check k8s/terraform: format, plans against mocked providers (takes Terraform and its registry)
	@terraform -chdir=k8s/terraform fmt -check -recursive
	@terraform -chdir=k8s/terraform init -backend=false -input=false
	@terraform -chdir=k8s/terraform test

# The image is an archive until it is pushed: what is pushed to each stage is the very same, down to its digest.
PLATFORMS ?= linux/arm64,linux/amd64
IMAGE := build/image.tar
image: $(IMAGE) ## Build the worker's image (takes Docker); PLATFORMS=linux/arm64 for one only
$(IMAGE): functions/Dockerfile requirements.txt $(shell find functions -name '*.py')
	@mkdir -p build
	@docker buildx build --platform $(PLATFORMS) --file functions/Dockerfile --provenance mode=max \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" --build-arg REVISION="$$(git rev-parse HEAD)" \
		--output type=oci,dest=$@ --metadata-file build/image.json .

image-sbom: $(IMAGE) ## List everything in the image, Debian's packages too (takes Go)
	@mkdir -p build/sbom
	@go run $(SYFT) --quiet scan oci-archive:$(IMAGE) -o cyclonedx-json=build/sbom/image.cdx.json

image-scan: $(IMAGE) ## Look for known vulnerabilities in the image that have a fix (takes Go)
	@go run $(GRYPE) --quiet --only-fixed --fail-on high oci-archive:$(IMAGE)

push: ## Copy the image to REPOSITORY, unless it is there (takes skopeo), and print its digest
	@.github/scripts/push.sh $(IMAGE) $(call given,REPOSITORY)

sign: ## Sign DIGEST in REPOSITORY, and its list of contents, as the workflow that runs (takes Go)
	@go run $(COSIGN) sign --yes $(call given,REPOSITORY)@$(call given,DIGEST)
	@go run $(COSIGN) attest --yes --type cyclonedx --predicate build/sbom/image.cdx.json $(call given,REPOSITORY)@$(call given,DIGEST)

verify: ## Refuse DIGEST in REPOSITORY unless SIGNER, a workflow's address at GitHub, signed it (takes Go)
	@go run $(COSIGN) verify --certificate-identity $(call given,SIGNER) \
		--certificate-oidc-issuer https://token.actions.githubusercontent.com $(call given,REPOSITORY)@$(call given,DIGEST) >/dev/null

difference: setup ## Say what this tree does to the templates of BASE, a commit; asks no account
	@.github/scripts/difference.sh $(call given,BASE)

clean: ## Remove what was built, and .venv
	@rm -rf .venv build cdk.out
