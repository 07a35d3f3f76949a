#!/usr/bin/env bash
# Builds kine with Go, for the tests of etcd's protocol over it, and puts it where they look for it. The first build takes some
# minutes of CPU time; without cgo, so that no C compiler is needed.
set -euo pipefail

version=v0.17.5
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit
mkdir -p "$target"
CGO_ENABLED=0 GOBIN=$target go install "$@" -trimpath -ldflags '-s -w' "github.com/k3s-io/kine@$version"
"$target/kine" --version
