# syntax=docker/dockerfile:1

# The same version as in rust-toolchain.toml.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
# Builds the pages that the binary brings along.
COPY --from=node:22-bookworm-slim /usr/local/bin/node /usr/local/bin/node
COPY --from=node:22-bookworm-slim /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV AETHER_UI=required
COPY . .
# Downloaded crates and compiled dependencies stay in the builder's caches: a change of our code compiles our code only.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    --mount=type=cache,target=/root/.npm \
    cargo build --locked --release -p aether-server \
    && cp target/release/aether-nexus /aether-nexus

FROM debian:bookworm-slim
# Deliveries to connectors check certificates against the system's authorities.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin aether
COPY --from=build /aether-nexus /usr/local/bin/aether-nexus
USER aether
WORKDIR /tmp
# The image brings no PostgreSQL: set DATABASE_URL.
# What is freed goes back to the system at once.
ENV AETHER_LISTEN=0.0.0.0:8080 AETHER_PROFILE=production MIMALLOC_PURGE_DELAY=0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 CMD ["aether-nexus", "healthcheck"]
ENTRYPOINT ["aether-nexus"]
CMD ["serve"]
