#!/usr/bin/env bash
# Builds oras with Go, as a counterparty in tests of referrers, and puts it where they look for it. It takes a minute of CPU time.
set -euo pipefail

version=v1.2.3
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit
mkdir -p "$target"
CGO_ENABLED=0 GOBIN=$target go install "$@" -trimpath -ldflags '-s -w' "oras.land/oras/cmd/oras@$version"
"$target/oras" version
