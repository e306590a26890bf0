# One image for the command line and the notebooks: docker run IMAGE aline-tf --help
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 1000 aline
WORKDIR /app

# The dependencies change less often than the code: they have a layer of their own, installed
# against a package that is empty but for its version.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir aline_tf \
    && echo '__version__ = "0"' > aline_tf/__init__.py \
    && pip install --constraint constraints.txt --editable ".[notebook,gateway]"

COPY aline_tf ./aline_tf
COPY savedmodels ./savedmodels
COPY notebooks ./notebooks
COPY examples ./examples
RUN pip install --no-deps --editable . && chown -R aline:aline /app

USER aline
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--notebook-dir=/app"]
