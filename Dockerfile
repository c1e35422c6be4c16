# Two images of one program: `web` and `worker`. Only an image built with EXTRAS=embed holds torch.
FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 OMP_NUM_THREADS=1
WORKDIR /app
RUN useradd --system --create-home --uid 10001 jiqiao && mkdir /data && chown jiqiao /data
COPY pyproject.toml README.md ./
COPY backend backend
COPY models models
COPY seeds seeds
COPY frontend frontend
RUN pip install .
# The program reads templates, seeds and weights beside its code, so it runs from here.
ENV PYTHONPATH=/app
USER jiqiao
VOLUME /data

FROM base AS web
EXPOSE 8000
CMD ["jiqiao", "serve", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
ARG EXTRAS=""
USER root
RUN if [ "$EXTRAS" = "embed" ]; then pip install torch==2.13.0 && pip install ".[embed]"; fi
USER jiqiao
CMD ["jiqiao", "worker"]
