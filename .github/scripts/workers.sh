#!/usr/bin/env bash
# The EKS part of a release: updates STAGE's workers to the image DIGEST, or rolls them back to their previous revision.
#
# It applies what a release owns. An administrator has applied k8s/overlays/STAGE/stage before: docs/threat-model.md explains why.
# It writes the stage's values and the image into k8s/overlays/STAGE (overlay.sh), and the rendered objects into build.
set -euo pipefail
stage=$1 digest=$2
namespace=tandem-$stage overlay=k8s/overlays/$stage rendered=build/manifests-$stage.yaml
export KUBECONFIG=${KUBECONFIG:-$PWD/build/kubeconfig-$stage}

image=$("$(dirname "$0")/overlay.sh" "$stage" "$digest")
mkdir -p build
cluster=$(aws ssm get-parameter --name "/tandem/$stage/cluster-name" --query Parameter.Value --output text)
aws eks update-kubeconfig --name "$cluster" --kubeconfig "$KUBECONFIG"
kustomize build "$overlay" >"$rendered"

workers() { kubectl --namespace "$namespace" get deployments --selector app.kubernetes.io/name=tandem,app.kubernetes.io/component=worker "$@"; }
field() { kubectl --namespace "$namespace" get "$1" --output "jsonpath=$2"; } # OBJECT JSONPATH

kubectl diff --filename "$rendered" || [ $? = 1 ] # 1 means differences, a higher code an error
before=$(workers --output 'jsonpath={range .items[*]}{.metadata.name}={.metadata.annotations.deployment\.kubernetes\.io/revision}{"\n"}{end}')
unready=$(workers --output 'jsonpath={range .items[*]}{.metadata.name} {.spec.replicas} {.status.readyReplicas}{"\n"}{end}' |
    awk '$2 > $3 + 0 { print "deployment.apps/" $1 }')

roll_back() {
    trap - ERR
    echo "Rolling back: $1" >&2
    for each in $before; do
        revision=$(workers --field-selector "metadata.name=${each%=*}" --output 'jsonpath={.items[*].metadata.annotations.deployment\.kubernetes\.io/revision}')
        if [ "$revision" != "${each#*=}" ]; then
            kubectl --namespace "$namespace" rollout undo "deployment/${each%=*}" --to-revision "${each#*=}"
            kubectl --namespace "$namespace" rollout status "deployment/${each%=*}" --timeout 15m
        fi
    done
    exit 1
}

ready() { # DEPLOYMENT: succeeds when a worker reports that it has partitions, or that there are none for it
    local port=${SMOKE_PORT:-18080} forward
    kubectl --namespace "$namespace" port-forward "$1" "$port:http" >/dev/null &
    forward=$!
    local answer=0
    curl --silent --show-error --fail --retry 20 --retry-delay 3 --retry-all-errors "http://127.0.0.1:$port/readyz" >/dev/null || answer=1
    kill "$forward" 2>/dev/null || true
    wait "$forward" 2>/dev/null || true
    return $answer
}

problem() { # DEPLOYMENT: prints why it did not come up, or nothing
    kubectl --namespace "$namespace" rollout status "$1" --timeout 15m >&2 || { echo "did not become ready"; return; }
    if [ -n "$(field "$1" '{.status.readyReplicas}')" ]; then ready "$1" || echo "does not answer /readyz"; fi
}

raise_to_minimum() { # without an autoscaler a new Deployment has one replica: k8s/components/keda/scaledobject.yaml
    kubectl get --filename "$rendered" --output 'jsonpath={range .items[*]}{.spec.scaleTargetRef.name} {.spec.minReplicas}{.spec.minReplicaCount}{"\n"}{end}' |
        while read -r name minimum; do
            [ -n "$minimum" ] || continue
            replicas=$(field "deployment/$name" '{.spec.replicas}')
            if [ "$replicas" -gt 0 ] && [ "$replicas" -lt "$minimum" ]; then
                kubectl --namespace "$namespace" scale "deployment/$name" --replicas "$minimum"
            fi
        done
}

prune() { # workers that the overlay no longer has would go on consuming
    local kept kinds=deployments,services,serviceaccounts,poddisruptionbudgets,horizontalpodautoscalers,networkpolicies
    kept=$(kubectl get --filename "$rendered" --output 'jsonpath={range .items[?(@.kind=="Deployment")]}deployment.apps/{.metadata.name}{"\n"}{end}')
    if kubectl api-resources --api-group keda.sh --output name | grep -q '^scaledobjects'; then kinds=scaledobjects,$kinds; fi
    for each in $(workers --output name); do
        if grep -qx "$each" <<<"$kept"; then continue; fi
        echo "$each: not in $overlay, so it is deleted"
        kubectl --namespace "$namespace" delete "$kinds" --selector "tandem/pipeline=$(field "$each" '{.metadata.labels.tandem/pipeline}')"
    done
}

trap 'roll_back "the apply failed"' ERR
kubectl apply --filename "$rendered"
raise_to_minimum
prune
failed=0
for each in $(workers --output name); do
    problem=$(problem "$each")
    if [ -z "$problem" ]; then
        echo "$each: $image"
    elif grep -qx "$each" <<<"$unready"; then
        # The previous revision is no better, and this one may be the fix.
        echo "$each $problem, and was not ready before this release either, so it is not rolled back" >&2
        failed=1
    else
        roll_back "$each $problem"
    fi
done
exit $failed
