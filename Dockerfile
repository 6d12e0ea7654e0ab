# Mooring as one static program in a small image, run by a user without rights.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The time zones of the providers' documents are built in: the image has none.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags '-s -w' -o /web ./cmd/web

FROM debian:12-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /web /usr/local/bin/web
# The data directory: nothing but the audit checkpoints, where PostgreSQL is elsewhere.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin mooring \
    && install -d -o mooring -g mooring -m 0700 /var/lib/mooring
ENV DATA_DIR=/var/lib/mooring LISTEN_ADDR=0.0.0.0:8080 METRICS_ADDR=0.0.0.0:9090
VOLUME /var/lib/mooring
EXPOSE 8080 9090
USER 10001:10001
# Shutdown takes up to 10 seconds: not ready, drain, workers, pools.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/web"]
CMD ["serve"]
