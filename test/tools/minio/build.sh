#!/usr/bin/env bash
# Builds MinIO with Go, as the S3 server of the tests, and puts it where they look for it. The first build takes some minutes of
# CPU time; without cgo, so that no C compiler is needed.
set -euo pipefail

# RELEASE.2025-10-15T17-29-55Z was the last release; its repository went on for some months.
version=v0.0.0-20260212201848-7aac2a2c5b7c
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit
mkdir -p "$target"
CGO_ENABLED=0 GOBIN=$target go install "$@" -trimpath -ldflags '-s -w' "github.com/minio/minio@$version"
"$target/minio" --version
