# One image for the command line, the notebooks and the gateway: docker run IMAGE aline-tf --help
# With CUDA, for a machine with an NVIDIA driver: docker build --build-arg VARIANT=gpu .
ARG VARIANT=cpu

# The CUDA libraries come as wheels with TensorFlow, so that both variants have the same base.
FROM python:3.11-slim-bookworm AS cpu
ENV EXTRAS=notebook,gateway

FROM cpu AS gpu
ENV EXTRAS=notebook,gateway,gpu \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM ${VARIANT}

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

RUN useradd --create-home --uid 1000 aline \
    && install --directory --owner=aline --group=aline /app
WORKDIR /app

# The dependencies change less often than the code: they have a layer of their own, installed
# against a package that is empty but for its version.
COPY pyproject.toml constraints.txt ./
RUN mkdir aline_tf \
    && touch README.md LICENSE \
    && echo '__version__ = "0"' > aline_tf/__init__.py \
    && pip install --constraint constraints.txt --editable ".[${EXTRAS}]"

# What changes seldom comes first, and nothing is copied a second time to change its owner.
COPY README.md LICENSE ./
COPY --chown=aline:aline savedmodels ./savedmodels
COPY --chown=aline:aline examples ./examples
COPY --chown=aline:aline notebooks ./notebooks
COPY --chown=aline:aline aline_tf ./aline_tf
RUN pip install --no-deps --editable .

USER aline
EXPOSE 8888
# Jupyter draws a token and prints the link with it, unless JUPYTER_TOKEN holds one.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--ServerApp.root_dir=/app"]
