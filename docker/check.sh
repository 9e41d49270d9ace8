#!/usr/bin/env bash
# Builds the image as the Dockerfile says, without a Docker engine, and looks at what came out.
#   docker/check.sh [serving|pipeline]
# Needs root on Debian or Ubuntu: apt-get install buildah debootstrap iproute2. The base image is not
# pulled: a stand-in of the same name is made of Debian's packages, with Python 3.11 and pip where
# the real one has them. Everything lies in a temporary folder, some 4 GB, that goes away at the end.
# Servers run in a network of their own, which holds nothing but a loopback.
set -euo pipefail

target=${1:-serving}
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
image="localhost/clientela-check-$target"
base=$(sed -n 's/^ARG BASE=//p' "$project/Dockerfile")
user=10001:10001
certificates=/etc/ssl/certs/ca-certificates.crt
most_megabytes=$([ "$target" = serving ] && echo 600 || echo 1200)
work=$(mktemp -d)
# interrupted, debootstrap leaves /proc mounted
trap 'umount "$work"/base/{proc,sys} 2>/dev/null || true; rm -rf "$work"' EXIT
export TMPDIR="$work"

say() { echo "== $*"; }
fail() { echo "docker/check.sh: $*" >&2; exit 1; }
b() { buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$@"; }
expect() { [ "$2" = "$3" ] || fail "$1: expected $3, found ${2:-nothing}"; echo "$1: $2"; }

# prints what a step says only if it fails
quietly() { "$@" >"$work/log" 2>&1 || { code=$?; tail -n 60 "$work/log" >&2; exit "$code"; }; }

[ "$(id -u)" = 0 ] || fail "has to run as root: a chroot is made"
for program in buildah debootstrap ip unshare; do
    command -v "$program" >/dev/null ||
        fail "$program is missing: apt-get install buildah debootstrap iproute2 util-linux"
done

# Python in /usr/local and pip beside it, as in the official image; Debian's own is kept off pip
stand_in() {
    local root="$work/base" container
    debootstrap --variant=minbase --include=ca-certificates,python3.11,python3-pip-whl,python3-setuptools-whl,python3-wheel-whl \
        bookworm "$root"
    rm -r "$root"/var/cache/apt/archives/*.deb "$root/usr/lib/python3.11/EXTERNALLY-MANAGED"
    ln -s /usr/bin/python3.11 "$root/usr/local/bin/python"
    # shellcheck disable=SC2016 # the inner shell finds the wheel
    chroot "$root" sh -c 'set -- /usr/share/python-wheels/pip-*.whl
        PIP_CONFIG_FILE=/dev/null python "$1/pip" install --no-index \
            --find-links /usr/share/python-wheels pip setuptools wheel'
    container=$(b from scratch)
    tar -C "$root" -cf "$work/base.tar" .
    rm -r "$root"
    b add "$container" "$work/base.tar" /
    rm "$work/base.tar"
    b config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
    b commit --format docker --rm "$container" "docker.io/library/$base"
}

# what is in git or would be, and a model to serve: the approved ones, or one of a small sample
context() {
    local served="$project/data/06_models/served"
    mkdir "$work/context"
    (cd "$project" && git ls-files -z --cached --others --exclude-standard |
        tar --null --files-from=- --ignore-failed-read -cf - | tar -C "$work/context" -xf -)
    [ "$target" = serving ] || return 0
    if ! compgen -G "$served/*.json" >/dev/null; then
        export CLIENTELA_TEST_ROOT="$work/data" KEDRO_DISABLE_TELEMETRY=1
        "$project/docker/small-model.sh"
        served="$work/data/06_models/served"
    fi
    cp -r "$served" "$work/context/data/06_models/"
}

# pip's settings on this machine go in as secrets: they leave no trace in a layer
secrets() {
    # of a setting that stands in several places the one that weighs most comes last, and stays
    {
        echo "[global]"
        "$project/.venv/bin/python" -m pip config list |
            sed -nE "s/^([^.]+)\.(index-url|extra-index-url|trusted-host|proxy)='(.*)'\$/\1 \2 = \3/p" |
            sed -e 's/^global/1/' -e 's/^install/2/' -e 's/^:env:/3/' -e 's/\\n/ /g' | sort |
            awk '{sub(/^[^ ]+ /, ""); found[$1] = $0} END {for (name in found) print found[name]}'
        [ ! -e "$certificates" ] || echo "cert = $certificates"
    } >"$work/pip.conf"
    echo "--secret=id=pip,src=$work/pip.conf"
    [ ! -e "$certificates" ] || echo "--secret=id=certificates,src=$certificates"
}

build() {
    mapfile -t given < <(secrets)
    b bud --isolation chroot --pull-never --format docker --target "$target" "${given[@]}" \
        --tag "$image" "$work/context"
}

configured() { b inspect --type image --format "{{$1}}" "$image"; }
inside() { b run --isolation chroot "$@"; }

# starts the server in the background and waits until the image's own health check is content
started() {
    local tries
    inside "${mounts[@]}" "$container" -- python -m clientela.serving "$@" >"$work/server" 2>&1 &
    server=$!
    for tries in $(seq 60); do
        kill -0 "$server" 2>/dev/null || { cat "$work/server" >&2; fail "the server ended"; }
        inside "$container" -- python healthy.py 2>/dev/null && return
        sleep 1
    done
    grep -v '"event":"request"' "$work/server" >&2
    fail "the server was not ready after $tries tries"
}

# asks the innermost child, which is the server, to end: Docker would signal it directly
stopped() {
    local process=$server child tries
    # a child belongs to the thread that made it, and buildah has several
    while child=$(cat "/proc/$process/task/"*/children) && [ -n "$child" ]; do
        process=${child%% *}
    done
    expect "the server's process" "$(ps -o uid= -p "$process" | tr -d ' ')" "${user%:*}"
    kill -TERM "$process"
    for tries in $(seq 100); do
        kill -0 "$process" 2>/dev/null || { echo "SIGTERM ends it: $tries tenths of a second"; return; }
        sleep 0.1
    done
    kill -KILL "$process"
    fail "the server goes on 10 seconds after SIGTERM"
}

asked() { curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$@"; }

serves() {
    local mounts=() example
    ip link set lo up
    started
    expect "/health" "$(asked http://127.0.0.1:8000/health)" 200
    expect "/ping" "$(asked http://127.0.0.1:8000/ping)" 200
    expect "/metrics without a token" "$(asked http://127.0.0.1:8000/metrics)" 401
    stopped
    # as SageMaker starts it, with one package unpacked
    mkdir "$work/model"
    tar -C "$work/model" -xf "$(compgen -G "$work/context/data/06_models/served/*.tar.gz" | head -n 1)"
    example=$(python3 -c 'import json, sys
print(json.dumps({"data": [json.load(open(sys.argv[1]))["example"]["case"]]}))' "$work/model/manifest.json")
    mounts=(--volume "$work/model:/opt/ml/model:ro")
    started serve
    expect "/ping on 8080" "$(asked http://127.0.0.1:8080/ping)" 200
    expect "/invocations on 8080" "$(asked -H 'Content-Type: application/json' \
        --data "$example" http://127.0.0.1:8080/invocations)" 200
    stopped
}

runs() {
    local kedro=(--env CLIENTELA_TEST_ROOT=/tmp/data "$container" -- kedro)
    inside "${kedro[@]}" registry list | grep '^- ' >"$work/stages"
    expect "stage, beside $(wc -l <"$work/stages") others" "$(grep -x -- '- deployment' "$work/stages")" "- deployment"
    inside "${kedro[@]}" run --env=test --tags=credit_payment --pipelines=data_generation \
        --params=credit_payment.data_generation.rows=2000 >"$work/log" 2>&1 || { cat "$work/log"; fail "no sample"; }
    inside "${kedro[@]}" run --env=test --tags=credit_payment \
        --pipelines=ingestion,feature_engineering,training,deployment --params=trials=1,repeats=1 \
        >"$work/log" 2>&1 || { cat "$work/log"; fail "no model"; }
    grep 'is registered' "$work/log"
}

say "A stand-in for $base"
quietly stand_in
say "What it is made of, with a model to serve"
quietly context
say "The image, target $target"
quietly build
container=$(b from --pull-never "$image")

say "What it says of itself"
expect user "$(configured .Docker.Config.User)" "$user"
expect "signal to stop" "$(configured .Docker.Config.StopSignal)" SIGTERM
if [ "$target" = serving ]; then
    expect entrypoint "$(configured .Docker.Config.Entrypoint)" "[python -m clientela.serving]"
    expect ports "$(configured .Docker.Config.ExposedPorts)" "map[8000/tcp:{} 8080/tcp:{}]"
    expect "health check" "$(configured .Docker.Config.Healthcheck.Test)" "[CMD python healthy.py]"
else
    expect entrypoint "$(configured .Docker.Config.Entrypoint)" "[kedro]"
fi

say "What is in it"
expect "who runs" "$(inside "$container" -- id -u)" "${user%:*}"
tools=$(inside "$container" -- sh -c 'command -v pip pip3 cc gcc g++ c++ clang make ld as || true')
expect "compilers and installers" "${tools:-none}" none
writable=$(inside "$container" -- sh -c 'find / -xdev \( -path /proc -o -path /dev -o -path /sys \) \
    -prune -o \( -type f -o -type d \) -writable -print 2>/dev/null || true' | sort | tr '\n' ' ')
expect "places that its user can write" "$writable" "/run/lock /tmp /var/tmp "
mounted=$(b mount "$container")
megabytes=$(du -sm "$mounted/opt/venv" "$mounted/app" | awk '{sum += $1} END {print sum}')
echo "size: $megabytes MB beside the base, at most $most_megabytes"
[ "$megabytes" -le "$most_megabytes" ] || fail "the image has grown to $megabytes MB beside the base"

say "What it does"
export work container user
export -f b inside fail expect started stopped asked serves runs
case "$target" in
    serving) unshare --net bash -euo pipefail -c serves ;;
    pipeline) unshare --net bash -euo pipefail -c runs ;;
esac
echo "The image is as it should be."
