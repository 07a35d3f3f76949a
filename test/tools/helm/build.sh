#!/usr/bin/env bash
# Builds helm with Go, for the tests of charts, and puts it where they look for it. The first build takes some minutes of CPU time.
set -euo pipefail

version=v3.22.0
# Of which cluster `helm template` thinks without one: its makefile sets the version of its client library.
kubernetes=33
module=helm.sh/helm/v3
flags="-s -w -X $module/internal/version.version=$version -X $module/pkg/chartutil.k8sVersionMajor=1 -X $module/pkg/chartutil.k8sVersionMinor=$kubernetes"
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit
mkdir -p "$target"
CGO_ENABLED=0 GOBIN=$target go install "$@" -trimpath -ldflags "$flags" "$module/cmd/helm@$version"
"$target/helm" version --short
