#!/usr/bin/env bash
# Copies the image in ARCHIVE unchanged to REPOSITORY under this commit's tag. Refuses another image than DIGEST, if that is given.
# Tags are immutable there, so an existing image is not replaced. Prints the digest.
set -euo pipefail
archive=$1 repository=$2 built=${3:-}

tag=$(git rev-parse HEAD)
digest=$(skopeo inspect --raw "oci-archive:$archive" | sha256sum | sed 's/^\([0-9a-f]*\).*/sha256:\1/')
if [ "$digest" != "${built:-$digest}" ]; then
    echo "push.sh: $archive: expected $built, got $digest" >&2
    exit 1
fi
if skopeo inspect --raw "docker://$repository@$digest" >/dev/null 2>&1; then
    echo "$repository already has the image" >&2
else
    skopeo copy --quiet --all --preserve-digests "oci-archive:$archive" "docker://$repository:$tag"
fi
echo "$digest"
