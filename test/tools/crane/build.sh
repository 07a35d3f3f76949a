#!/usr/bin/env bash
# Builds crane with Go, as a counterparty in tests of copies, and puts it where they look for it. It takes a minute of CPU time.
set -euo pipefail

version=v0.20.6
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit
mkdir -p "$target"
CGO_ENABLED=0 GOBIN=$target go install "$@" -trimpath -ldflags '-s -w' "github.com/google/go-containerregistry/cmd/crane@$version"
"$target/crane" version
