#!/usr/bin/env bash
# The Lambda part of a release: saves and sets the functions' aliases, and checks the new versions.
#
#   functions.sh save STAGE        save the aliases' versions in build/aliases-STAGE, before the deployment
#   functions.sh promote STAGE     set the aliases to the newest versions. CloudFormation does not do this when a rolled back
#                                  release is run again, because its template has not changed
#   functions.sh check STAGE       fail unless every live version is active and every mapping is in a final state
#   functions.sh roll-back STAGE   set the aliases to the saved versions
#   functions.sh prune STAGE       delete all versions but the live one and the last three, because SnapStart bills each.
#                                  CloudFormation retains every version, so that roll-back finds the saved one
set -euo pipefail
verb=$1 stage=$2
saved=build/aliases-$stage
tries=${TRIES:-60} pause=${PAUSE:-5} # seconds
kept_versions=3

functions() { .venv/bin/python -c 'import sys
from functions import registry
from cdk import names
print(*(names.function(sys.argv[1], pipeline) for pipeline in registry.load_all()), sep="\n")' "$stage"; }

wait_until_empty() { # WHAT COMMAND...: repeat the command until it prints nothing
    local what=$1 left=$tries output
    shift
    while true; do
        output=$("$@") || return 1
        [ -n "$output" ] || return 0
        left=$((left - 1))
        if [ "$left" -le 0 ]; then
            echo "$what: still $output" >&2
            return 1
        fi
        sleep "$pause"
    done
}

pending_states() { # FUNCTION: the states of its version and mappings that are not final
    aws lambda get-function-configuration --function-name "$1" --qualifier live --output text \
        --query "[State, not_null(LastUpdateStatus, 'Successful')][?@ != 'Active' && @ != 'Successful']" &&
        aws lambda list-event-source-mappings --function-name "$1:live" --output text \
            --query "EventSourceMappings[?State != 'Enabled' && State != 'Disabled'].State"
}

set_live() { # FUNCTION VERSION
    echo "$1: live is version $2"
    aws lambda update-alias --function-name "$1" --name live --function-version "$2" --output text >/dev/null
}

case $verb in
save)
    mkdir -p build
    functions | while read -r name; do
        version=$(aws lambda get-alias --function-name "$name" --name live --query FunctionVersion --output text 2>&1) || {
            case $version in *ResourceNotFoundException*) continue ;; esac # a new function: no version to roll back to
            echo "$version" >&2
            exit 1
        }
        echo "$name $version"
    done >"$saved"
    ;;
promote)
    functions | while read -r name; do
        # JSON output, because with text output the query applies to each page separately.
        newest=$(aws lambda list-versions-by-function --function-name "$name" --output json \
            --query "max_by(Versions[?Version != '\$LATEST'], &to_number(Version)).Version" | tr -d '"')
        set_live "$name" "$newest"
    done
    ;;
check)
    functions | while read -r name; do
        wait_until_empty "$name" pending_states "$name"
        problem=$(aws lambda list-event-source-mappings --function-name "$name:live" --output text \
            --query "EventSourceMappings[?starts_with(not_null(LastProcessingResult, ''), 'PROBLEM')].LastProcessingResult")
        if [ -n "$problem" ]; then
            echo "$name: its mapping reports: $problem" >&2
            exit 1
        fi
        echo "$name: active"
    done
    ;;
roll-back)
    while read -r name version; do set_live "$name" "$version"; done <"$saved"
    ;;
prune)
    functions | while read -r name; do
        live=$(aws lambda get-alias --function-name "$name" --name live --query FunctionVersion --output text)
        old=$(aws lambda list-versions-by-function --function-name "$name" --output json \
            --query "sort_by(Versions[?Version != '\$LATEST'], &to_number(Version))[:-$kept_versions].Version" | tr -cs '0-9' '\n')
        for version in $old; do
            if [ "$version" = "$live" ]; then continue; fi
            echo "$name: delete version $version"
            aws lambda delete-function --function-name "$name" --qualifier "$version"
        done
    done
    ;;
*)
    echo "functions.sh: expected save, promote, check, roll-back or prune, got $verb" >&2
    exit 2
    ;;
esac
