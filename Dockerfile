# clearzoom with its server. `make image` builds it with the version of the newest tag;
# docs/container.md says how to run it. Nothing but /cache and /tmp is written to.
ARG PYTHON=3.13
FROM python:${PYTHON}-slim AS build
ARG VERSION=0.1.0.dev0
ARG EXTRAS=serve
WORKDIR /source
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE THIRD_PARTY_NOTICES.md ./
COPY examples/chelsea.png examples/
COPY packages packages
COPY src src
RUN python -m venv --without-pip /opt/clearzoom
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION \
    python -m pip --python /opt/clearzoom/bin/python install --quiet \
    --constraint constraints.txt ".[$EXTRAS]"

FROM python:${PYTHON}-slim
COPY --from=build /opt/clearzoom /opt/clearzoom
RUN mkdir /cache /pictures && chown 65532:65532 /cache
ENV PATH=/opt/clearzoom/bin:$PATH CLEARZOOM_CACHE=/cache HOME=/tmp
USER 65532:65532
WORKDIR /pictures
VOLUME /cache
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); \
    c.request('GET', '/healthz'); assert c.getresponse().status == 200"]
ENTRYPOINT ["clearzoom"]
CMD ["serve", "/pictures", "--host", "0.0.0.0"]
