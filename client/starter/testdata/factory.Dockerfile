ARG BASE_IMAGE=ubuntu:24.04
ARG KAIROS_INIT=v0.17.3

FROM quay.io/kairos/kairos-init:${KAIROS_INIT} AS kairos-init

FROM golang:1.26 AS tools
RUN go build -o /out/tool ./cmd/tool

FROM ${BASE_IMAGE} AS base
ARG MODEL=generic
ARG TRUSTED_BOOT=true
ARG KUBERNETES_DISTRO=k3s
ARG KUBERNETES_VERSION=v1.35.1+k3s1
ARG VERSION=1.2.3
ENV DEBIAN_FRONTEND=noninteractive
ENV EDITOR=vim

RUN apt-get update && apt-get install -y --no-install-recommends \
    htop \
    openssh-server \
    tcpdump && rm -rf /var/lib/apt/lists/*
COPY --chown=0:0 --chmod=0600 config/ /etc/edge/
COPY motd /etc/motd
COPY --from=tools /out/tool /usr/bin/tool
COPY <<TEXT /etc/edge/site
here
TEXT
RUN systemctl enable edge.service
EXPOSE 80

FROM base
RUN --mount=type=bind,from=kairos-init,src=/kairos-init,dst=/kairos-init \
    /kairos-init -l debug -m "${MODEL:-generic}" -t true -k k3s --k8sversion "v1.35.1+k3s1" --variant standard --version "v1.2.3" --fips && \
    /kairos-init validate
