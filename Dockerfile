# Two images of this project; docs/container.md explains them.
#   docker build -t clientela .                                   the API with its approved models
#   docker build -t clientela-pipeline --target pipeline .        every stage
ARG BASE=python:3.11.15-slim-bookworm

# What is needed to install, and only to install. The secrets are optional: an index and
# certificates of a company's own, which must not stay in a layer.
FROM ${BASE} AS tools
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_COMPILE=1 \
    PIP_PROGRESS_BAR=off \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY docker/requirements-build.lock docker/environment.sh ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --require-hashes --requirement requirements-build.lock

# Each of the next three makes its part of one environment, so that new code is a small new layer.
FROM tools AS serving-packages
COPY docker/requirements-serving.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    pip wheel --require-hashes --no-deps --no-build-isolation --wheel-dir wheels \
        --requirement requirements-serving.lock \
    && ./environment.sh

FROM tools AS pipeline-packages
COPY docker/requirements-pipeline.lock ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=certificates,target=/etc/ssl/certs/ca-certificates.crt \
    pip wheel --require-hashes --no-deps --no-build-isolation --wheel-dir wheels \
        --requirement requirements-pipeline.lock \
    && ./environment.sh

FROM tools AS project
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir wheels . \
    && ./environment.sh

# What both images have: no pip, and a user who owns nothing in them.
FROM ${BASE} AS runtime
RUN pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
    && groupadd --gid 10001 clientela \
    && useradd --uid 10001 --gid clientela --home-dir /tmp --no-create-home \
        --shell /usr/sbin/nologin clientela
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.title="Clientela" \
      org.opencontainers.image.licenses="Apache-2.0"

FROM runtime AS pipeline
LABEL org.opencontainers.image.description="Every stage of Clientela"
COPY --from=pipeline-packages /opt/venv /opt/venv
COPY --from=project /opt/venv /opt/venv
COPY pyproject.toml .telemetry ./
COPY conf ./conf
# Kedro looks for both folders; the code itself is installed, and nobody's own settings are built in
RUN mkdir src conf/local
USER 10001:10001
ENTRYPOINT ["kedro"]
CMD ["run"]

FROM runtime AS serving
LABEL org.opencontainers.image.description="The API of Clientela with its approved models"
COPY --from=serving-packages /opt/venv /opt/venv
COPY --from=project /opt/venv /opt/venv
COPY docker/healthy.py ./
# the models approved so far, or none: a mounted folder or a bucket may bring others
COPY data/06_models ./data/06_models
ENV CLIENTELA_API_HOST=0.0.0.0 \
    CLIENTELA_API_SERVED=/app/data/06_models/served
USER 10001:10001
EXPOSE 8000 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "healthy.py"]
ENTRYPOINT ["python", "-m", "clientela.serving"]
