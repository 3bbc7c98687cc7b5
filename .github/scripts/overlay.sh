#!/usr/bin/env bash
# Writes what a release changes into k8s/overlays/STAGE: the stage's values, from SSM, and the image, by DIGEST. `workers.sh` applies
# the result. With GitOps it is committed instead: docs/gitops.md.
set -euo pipefail
stage=$1 digest=$2
overlay=k8s/overlays/$stage

parameter() { aws ssm get-parameter --name "/tandem/$stage/$1" --query Parameter.Value --output text; }

case $digest in sha256:*) ;; *)
    echo "overlay.sh: DIGEST: expected sha256:..., got $digest" >&2
    exit 2
    ;;
esac
parameter worker-env >"$overlay/stage.env"
repository=$(parameter repository-uri)
(cd "$overlay" && kustomize edit set image "tandem=$repository@$digest")
echo "$repository@$digest"
