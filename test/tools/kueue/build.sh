#!/usr/bin/env bash
# Fetches with Go the definition of Workloads that Kueue publishes (Apache License 2.0), and puts it where the tests look for it. Its
# license is put beside it.
set -euo pipefail

version=v0.17.0
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit/kueue/definitions
module=$(cd / && go mod download -json "sigs.k8s.io/kueue@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
mkdir -p "$target"
cp -f "$module/config/components/crd/bases/kueue.x-k8s.io_workloads.yaml" "$module/LICENSE" "$target"
chmod -R u+w "$target"
