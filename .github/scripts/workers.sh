#!/usr/bin/env bash
# The EKS side of a release: STAGE's workers come to run the image DIGEST, or go back to what they ran.
#
# What lies in no namespace, and who may do what, is an administrator's and is left out: docs/threat-model.md says why.
# It writes the stage's values and the image into k8s/overlays/STAGE.
set -euo pipefail
stage=$1 digest=$2
namespace=tandem-$stage overlay=k8s/overlays/$stage
export KUBECONFIG=${KUBECONFIG:-$PWD/build/kubeconfig-$stage}

told() { aws ssm get-parameter --name "/tandem/$stage/$1" --query Parameter.Value --output text; }

case $digest in sha256:*) ;; *)
    echo "workers.sh: DIGEST takes sha256:..., got $digest" >&2
    exit 2
    ;;
esac
mkdir -p build
aws eks update-kubeconfig --name "$(told cluster-name)" --kubeconfig "$KUBECONFIG"
told worker-env >"$overlay/stage.env"
repository=$(told repository-uri)
(
    cd "$overlay"
    kustomize edit set image "tandem=$repository@$digest"
    for kind in Namespace PriorityClass NodePool Role RoleBinding; do
        kustomize edit add patch --kind "$kind" --patch "{\$patch: delete, kind: $kind, metadata: {name: any}}"
    done
)

workers() { kubectl --namespace "$namespace" get deployments --selector app.kubernetes.io/name=tandem,app.kubernetes.io/component=worker "$@"; }

kubectl diff --kustomize "$overlay" || [ $? = 1 ] # 1: there are differences; more: it could not tell
before=$(workers --output 'jsonpath={range .items[*]}{.metadata.name}={.metadata.annotations.deployment\.kubernetes\.io/revision}{"\n"}{end}')

go_back() {
    trap - ERR
    echo "Going back: $1" >&2
    for each in $before; do
        at=$(workers --field-selector "metadata.name=${each%=*}" --output 'jsonpath={.items[*].metadata.annotations.deployment\.kubernetes\.io/revision}')
        if [ "$at" != "${each#*=}" ]; then
            kubectl --namespace "$namespace" rollout undo "deployment/${each%=*}" --to-revision "${each#*=}"
            kubectl --namespace "$namespace" rollout status "deployment/${each%=*}" --timeout 15m
        fi
    done
    exit 1
}

ready() { # DEPLOYMENT: a worker answers that it is assigned partitions, or knows that there are none for it
    local port=${SMOKE_PORT:-18080} forward
    kubectl --namespace "$namespace" port-forward "$1" "$port:http" >/dev/null &
    forward=$!
    local answer=0
    curl --silent --show-error --fail --retry 20 --retry-delay 3 --retry-all-errors "http://127.0.0.1:$port/readyz" >/dev/null || answer=1
    kill "$forward" 2>/dev/null || true
    wait "$forward" 2>/dev/null || true
    return $answer
}

trap 'go_back "the apply failed"' ERR
kubectl apply --kustomize "$overlay"
now=$(workers --output name)
for each in $now; do
    kubectl --namespace "$namespace" rollout status "$each" --timeout 15m || go_back "$each did not come up"
    if [ "$(kubectl --namespace "$namespace" get "$each" --output 'jsonpath={.status.readyReplicas}')" ]; then
        ready "$each" || go_back "$each does not answer /readyz"
    fi
    echo "$each: $repository@$digest"
done
