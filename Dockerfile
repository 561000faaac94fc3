# Built from the repository's root: docker build --build-arg REVISION=$(git rev-parse --short=12 HEAD) .
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG REVISION=unknown
ENV CII_EXPORTER_REVISION=$REVISION
# Empty, or `demo` for an image that also has the command `demo`.
ARG FEATURES=
RUN cargo build --release --locked --bin cii-exporter --no-default-features --features "$FEATURES"

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/cii-exporter --create-home cii-exporter
COPY --from=build /source/target/release/cii-exporter /usr/local/bin/cii-exporter
USER cii-exporter
WORKDIR /var/lib/cii-exporter
VOLUME /var/lib/cii-exporter
# In a container, loopback reaches nobody: both listeners take every interface,
# and the container's network decides who gets to them.
ENV CII_EXPORTER_WEBHOOK__LISTEN=0.0.0.0:8847 \
    CII_EXPORTER_OPS__LISTEN=0.0.0.0:9847 \
    CII_EXPORTER_OPS__ALLOW_UNAUTHENTICATED=true \
    CII_EXPORTER_STORE__PATH=/var/lib/cii-exporter/cii-exporter.db
EXPOSE 8847 9847
# Over the socket beside the database, which wants neither TLS nor a password.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["cii-exporter", "health", "--live"]
ENTRYPOINT ["cii-exporter"]
CMD ["run"]
