# The images of ARC: build one with --target apiserver, controller-manager, worker or arcctl. They share all layers but the last.
# The base images are arguments, for those who have hardened ones: BUILD_IMAGE needs node and npm, RUNTIME_IMAGE a glibc.
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG RUNTIME_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
# Not `npm ci`: see scripts/bootstrap.mjs.
RUN npm install --no-save --no-audit --no-fund
ARG VERSION
RUN node scripts/build.ts ${VERSION:+--version ${VERSION}}
# Code that is compiled at build time starts sooner, and needs no file system that can be written.
ENV NODE_COMPILE_CACHE=/opt/arc/compiled
RUN mv dist/image /opt/arc && mkdir /opt/arc/bin \
  && for program in apiserver controller-manager worker arcctl; do \
       launcher=$(echo /opt/arc/node_modules/@arc/app-$program/bin/*.mjs) && name=$(basename "$launcher" .mjs) \
       && ln -s "$launcher" "/opt/arc/bin/$name" && "/opt/arc/bin/$name" --help >/dev/null || exit 1; \
     done

FROM ${RUNTIME_IMAGE} AS runtime
COPY --from=build /usr/local/bin/node /usr/local/bin/
COPY --from=build /opt/arc /opt/arc
ENV PATH=/opt/arc/bin:/usr/local/bin:/usr/bin:/bin NODE_ENV=production NODE_COMPILE_CACHE=/opt/arc/compiled
USER 65532:65532
WORKDIR /

FROM runtime AS apiserver
ENTRYPOINT ["arc-apiserver"]

FROM runtime AS controller-manager
ENTRYPOINT ["arc-controller-manager"]

FROM runtime AS worker
ENTRYPOINT ["arc-worker"]

FROM runtime AS arcctl
ENTRYPOINT ["arcctl"]
