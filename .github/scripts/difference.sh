#!/usr/bin/env bash
# Prints the template changes between the commit BASE and this tree, stack by stack, as Markdown.
#
# It compares two syntheses and accesses no AWS account, so it can run on an unreviewed change.
set -euo pipefail
base=$1
cdk=$(dirname "$0")/cdk.sh
work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null; rm -rf "$work"' EXIT

synthesise() { # FOLDER OUT: without the functions' zips, which differ only in their hashes. CI reports the findings of the checks.
    local context python=$PWD/.venv/bin/python
    context=$(python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["context"] | {"aws:cdk:bundling-stacks": []}))' "$1/cdk.json")
    (cd "$1" && CDK_CONTEXT_JSON=$context CDK_OUTDIR=$2 "$python" app.py >"$2.log" 2>&1) || [ -f "$2/manifest.json" ] || { cat "$2.log" >&2; return 1; }
}

git worktree add --quiet --detach "$work/base" "$base"
synthesise "$work/base" "$work/old"
synthesise "$PWD" "$work/new"

echo '{}' >"$work/none.json"
changed=0
for template in "$work"/new/assembly-*/*.template.json; do
    name=$(basename "$template")
    stage=$(basename "$(dirname "$template")")
    stage=${stage#assembly-}
    stack=${name#"$stage"}
    stack=${stack%????????.template.json} # the CDK appends a hash of eight characters
    before=$work/old/assembly-$stage/$name
    [ -f "$before" ] || before=$work/none.json
    if cmp -s "$before" "$template"; then continue; fi
    changed=$((changed + 1))
    printf '<details><summary><code>%s/%s</code></summary>\n\n```\n' "$stage" "$stack"
    "$cdk" diff --app "$work/new" "$stage/$stack" --exclusively --ignore-errors --template "$before" --no-color >"$work/output" 2>&1 || { cat "$work/output" >&2; exit 1; }
    head -c 12000 "$work/output" # a GitHub comment has at most 65,536 characters
    printf '\n```\n</details>\n\n'
done
for template in "$work"/old/assembly-*/*.template.json; do
    after=$work/new/${template#"$work/old/"}
    if [ ! -f "$after" ]; then
        changed=$((changed + 1))
        echo "**$(basename "$template" .template.json)** was removed: CloudFormation keeps the stack until you delete it."
    fi
done
if [ "$changed" = 0 ]; then echo "No template changes. The functions' code may still change."; fi
