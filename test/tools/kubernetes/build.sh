#!/usr/bin/env bash
# Builds a real kube-apiserver, kube-controller-manager and etcd with Go, for the tests behind the aggregation layer and for
# `npm run bench:compare`. The first build takes about half an hour of CPU time. They are put where both look for them.
set -euo pipefail
cd "$(dirname "$0")"

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
target=${XDG_CACHE_HOME:-$HOME/.cache}/artifact-conduit/kubernetes
package=k8s.io/component-base/version
mkdir -p "$target"
minor=${version#v1.}
for program in kube-apiserver kube-controller-manager; do
  go build "$@" -trimpath \
    -ldflags "-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}" \
    -o "$target/$program" "k8s.io/kubernetes/cmd/$program"
done
go build "$@" -trimpath -ldflags '-s -w' -o "$target/etcd" go.etcd.io/etcd/server/v3
"$target/kube-apiserver" --version
