#!/usr/bin/env bash
# The Lambda side of a release: what the aliases point at, whether the new versions stand, and the way back.
#
#   functions.sh remember STAGE    write build/aliases-STAGE, before the deployment
#   functions.sh check STAGE       fail unless every live version is active and every mapping has come to rest
#   functions.sh go-back STAGE     point the aliases at what was remembered
set -euo pipefail
verb=$1 stage=$2
remembered=build/aliases-$stage
tries=${TRIES:-60} pause=${PAUSE:-5} # seconds

functions() { .venv/bin/python -c 'import sys
from functions import registry
from functions.core import names
print(*(names.function(sys.argv[1], pipeline) for pipeline in registry.load_all()), sep="\n")' "$stage"; }

until_so() { # WHAT COMMAND...: the command prints nothing once it is so
    local what=$1 left=$tries found
    shift
    while true; do
        found=$("$@") || return 1
        [ -n "$found" ] || return 0
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "$what: still $found" >&2
            return 1
        fi
        sleep "$pause"
    done
}

restless() { # FUNCTION: the states of a version or mapping that are not final
    aws lambda get-function-configuration --function-name "$1" --qualifier live --output text \
        --query "[State, not_null(LastUpdateStatus, 'Successful')][?@ != 'Active' && @ != 'Successful']" &&
        aws lambda list-event-source-mappings --function-name "$1:live" --output text \
            --query "EventSourceMappings[?State != 'Enabled' && State != 'Disabled'].State"
}

case $verb in
remember)
    mkdir -p build
    functions | while read -r name; do
        version=$(aws lambda get-alias --function-name "$name" --name live --query FunctionVersion --output text 2>&1) || {
            case $version in *ResourceNotFoundException*) continue ;; esac # not there yet: nothing to go back to
            echo "$version" >&2
            exit 1
        }
        echo "$name $version"
    done >"$remembered"
    ;;
check)
    functions | while read -r name; do
        until_so "$name" restless "$name"
        problem=$(aws lambda list-event-source-mappings --function-name "$name:live" --output text \
            --query "EventSourceMappings[?starts_with(not_null(LastProcessingResult, ''), 'PROBLEM')].LastProcessingResult")
        if [ -n "$problem" ]; then
            echo "$name: its mapping says: $problem" >&2
            exit 1
        fi
        echo "$name: active"
    done
    ;;
go-back)
    while read -r name version; do
        aws lambda update-alias --function-name "$name" --name live --function-version "$version" --query AliasArn --output text
    done <"$remembered"
    ;;
*)
    echo "functions.sh: takes remember, check or go-back, got $verb" >&2
    exit 2
    ;;
esac
