#!/usr/bin/env bash
# Builds Argo's workflow-controller and argo command with Go, and puts them where the tests look for them, beside the published custom
# resource definitions (full and minimal) of each line of Argo that ARC supports. `build.sh --definitions` fetches only those.
set -euo pipefail
cd "$(dirname "$0")"

target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit/argo
workflows=github.com/argoproj/argo-workflows
built=$(go list -m -f '{{.Version}}' "$workflows/v4")
mkdir -p "$target"

directory_of() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }

# Read from modules of their own lines and not required by go.mod: only one line can be built by one module.
for module in "$workflows/v4@$built" "$workflows/v3@v3.7.18"; do
  from=$(cd / && directory_of "$module")/manifests/base/crds
  into=$target/definitions/${module##*@}
  rm -rf "$into"
  mkdir -p "$into"
  cp -r "$from/full" "$from/minimal" "$into"
  chmod -R u+w "$into"
done
if [ "${1-}" = --definitions ]; then exit; fi

# The argo command embeds the user interface, which the module does not hold: it is built from a copy with an empty page.
copy=$(mktemp -d)
trap 'chmod -R u+w "$copy" && rm -rf "$copy"' EXIT
cp -r "$(go list -m -f '{{.Dir}}' "$workflows/v4")" "$copy/source"
chmod -R u+w "$copy/source"
mkdir -p "$copy/source/ui/dist/app"
touch "$copy/source/ui/dist/app/index.html"
cp go.mod go.sum "$copy"
go mod edit -replace "$workflows/v4=$copy/source" "$copy/go.mod"
for program in workflow-controller argo; do
  CGO_ENABLED=0 nice go build "$@" -modfile "$copy/go.mod" -trimpath \
    -ldflags "-s -w -X $workflows/v4.version=$built -X $workflows/v4.gitTag=$built -X $workflows/v4.gitTreeState=clean" \
    -o "$target/$program" "$workflows/v4/cmd/$program"
done
"$target/argo" version --short
