#!/usr/bin/env bash
# Copies the image in ARCHIVE to REPOSITORY under this commit's tag, whole and unchanged, and prints its digest.
# Tags never move there, so an image that is there already stays as it is.
set -euo pipefail
archive=$1 repository=$2

tag=$(git rev-parse HEAD)
digest=$(skopeo inspect --raw "oci-archive:$archive" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/')
if skopeo inspect --raw "docker://$repository@$digest" >/dev/null 2>&1; then
    echo "$repository has it" >&2
else
    skopeo copy --quiet --all --preserve-digests "oci-archive:$archive" "docker://$repository:$tag"
fi
echo "$digest"
