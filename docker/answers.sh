#!/usr/bin/env bash
# Runs an image with Docker as a person would, on a file system that it can't write, and waits until
# its server answers.
#   docker/answers.sh IMAGE
# An image without a model answers /health with 503: that is an answer as well.
set -euo pipefail

container=$(docker run --detach --rm --read-only --tmpfs /tmp --cap-drop ALL \
    --security-opt no-new-privileges --publish 127.0.0.1::8000 "$1")
trap 'docker logs "$container"; docker stop --time 30 "$container"' EXIT
address=$(docker port "$container" 8000)
for _ in $(seq 60); do
    if status=$(curl --silent --max-time 3 --output /dev/null --write-out '%{http_code}' \
        "http://$address/health"); then
        echo "$1 answers /health with $status"
        [ "$status" = 200 ] || [ "$status" = 503 ]
        exit
    fi
    sleep 1
done
echo "$1 did not answer within 60 tries" >&2
exit 1
