#!/bin/bash
# Shows all of ceph-taskd on a machine with nothing but Debian 12 and this tree: installs, builds,
# starts a real cluster and the daemon in a new directory, makes tasks, looks at them, cleans up.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
ROOT=${HERE%/*}
BUILD=$(realpath -m -- "${BUILD_DIR:-$ROOT/build}")/release
readonly HERE ROOT BUILD MARKER=.ceph-taskd-demo IMAGE=rbd/demo-image
readonly READY_BOUND=60 SERVICE_MAP_BOUND=60 # seconds
# shellcheck source=lib/process.sh
source "$HERE/lib/process.sh"

DIR=
CHILD= # pid of the program that runs now
KEEP=0
STARTED=() # filled by spawn

usage() {
    cat <<END
Usage: demo.sh [--keep]     show everything on a real cluster, then clean up
       demo.sh --stop DIR   end and delete what \`--keep\` left running

\$BUILD_DIR is where it builds ($ROOT/build).
END
}

die() {
    echo "demo: $*" >&2
    exit 1
}

step() {
    printf '\n== %s\n' "$*"
}

# Prints a command as one would type it, and runs it.
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

# Runs a long command without its output; shows the end of that when it fails. In the background, because
# bash serves a trap only between foreground commands.
quietly() {
    local log=$DIR/$1.log status=0
    shift
    "$@" >"$log" 2>&1 &
    CHILD=$!
    wait "$CHILD" || status=$?
    CHILD=
    ((status == 0)) && return
    tail -n 40 "$log" >&2
    die "failed with status $status: $*"
}

configure() {
    cd -- "$ROOT"
    exec cmake --preset release -B "$BUILD"
}

build() {
    step "installing what is missing"
    quietly install-deps "$HERE/install-deps.sh"
    step "building in $BUILD (minutes the first time)"
    quietly configure configure
    quietly build ninja -C "$BUILD" ceph-taskd ceph-task
}

start_cluster() {
    step "starting a cluster in $DIR/cluster"
    quietly vstart "$HERE/vstart.sh" start --dir "$DIR/cluster"
    grep '^started' "$DIR/vstart.log"
    CEPH_CONF=$DIR/cluster/ceph.conf
    export CEPH_CONF
}

start_daemon() {
    step "starting ceph-taskd"
    spawn ceph-taskd ceph-taskd -c "$CEPH_CONF" --socket "$DIR/ceph-taskd.sock" --listen 127.0.0.1:0
    local ready log=$DIR/log/ceph-taskd.log end=$((SECONDS + READY_BOUND))
    until ready=$(grep '^ceph-taskd ready:' "$log"); do
        is_alive ceph-taskd || die "ceph-taskd ended: $(<"$log")"
        ((SECONDS < end)) || die "ceph-taskd is not ready after $READY_BOUND s: $(<"$log")"
        pause 0.05
    done
    echo "$ready"
    export CEPH_TASKD_URL=unix:$DIR/ceph-taskd.sock
}

# What the user's shell says of other clusters and proxies must not reach ours.
set_environment() {
    unset CEPH_ARGS CEPH_KEYRING CEPH_TASKD_TOKEN
    export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost
    PATH=$BUILD/src/cli:$BUILD/src/daemon:$PATH
}

make_tasks() {
    step "an image, made and removed by tasks"
    show ceph-task rbd create "$IMAGE" --size 1G
    show rbd ls
    rbd info "$IMAGE" >/dev/null 2>&1 || die "the task ended well, but there is no image $IMAGE"
    show ceph-task rbd rm "$IMAGE"
    show rbd ls
    ! rbd info "$IMAGE" >/dev/null 2>&1 || die "the task ended well, but $IMAGE is still there"
    step "a monitor command as a task"
    show ceph-task command -- osd pool ls detail
}

look() {
    step "what the cluster knows of the daemon"
    local end=$((SECONDS + SERVICE_MAP_BOUND))
    until [[ $(ceph -s) == *"taskd: "* ]]; do
        ((SECONDS < end)) || die "no taskd in \`ceph -s\` after $SERVICE_MAP_BOUND s"
        pause 0.5
    done
    show ceph -s
    step "the tasks"
    show ceph-task ls
    local socket=$DIR/ceph-taskd.sock # where its own user needs no password
    printf '\n$ curl -s --unix-socket %s http://localhost/api/summary | jq\n' "$socket"
    curl -sS --fail --max-time 10 --unix-socket "$socket" http://localhost/api/summary | jq . | tee "$DIR/summary.json"
    local name
    for name in rbd/create rbd/delete; do
        jq -e --arg name "$name" 'any(.finished_tasks[]; .name == $name and .success and .exception == null)' \
            "$DIR/summary.json" >/dev/null || die "no finished $name in the summary"
    done
}

print_ways_in() {
    cat <<END

== it all runs on in $DIR; in another shell:

export CEPH_CONF=$CEPH_CONF CEPH_TASKD_URL=$CEPH_TASKD_URL PATH=$(printf %q "$BUILD/src/cli"):\$PATH
ceph-task rbd create rbd/vm-1 --size 10G
ceph-task ls
curl --unix-socket $DIR/ceph-taskd.sock http://localhost/api/summary
rbd ls

The daemon's log is $DIR/log/ceph-taskd.log. Stop and delete everything with:

$(printf %q "$HERE/demo.sh") --stop $DIR
END
}

# Ends what was started, by pid, and deletes the directory.
clean_up() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    if [[ -n $CHILD ]]; then
        kill -TERM "$CHILD" 2>/dev/null || true
        wait "$CHILD" 2>/dev/null || true
    fi
    if [[ -n $DIR ]] && ! { ((KEEP)) && ((status == 0)); }; then
        if ((status > 0 && status < 128)) && [[ -s $DIR/log/ceph-taskd.log ]]; then
            echo "demo: the daemon's last lines:" >&2
            tail -n 20 "$DIR/log/ceph-taskd.log" >&2
        fi
        remove_all
    fi
    exit "$status"
}

remove_all() {
    end_daemons ceph-taskd
    "$HERE/vstart.sh" wipe --dir "$DIR/cluster" >/dev/null
    rm -rf -- "$DIR"
}

stop_kept() {
    DIR=$(realpath -- "$1")
    [[ -f $DIR/$MARKER ]] || die "will not delete $DIR: no demo made it"
    remove_all
    echo "stopped and deleted: $DIR"
}

run() {
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    trap clean_up EXIT
    DIR=$(mktemp -d "${TMPDIR:-/tmp}/ceph-taskd-demo.XXXXXX")
    mkdir "$DIR/run" "$DIR/log"
    touch "$DIR/$MARKER"
    build
    set_environment
    start_cluster
    start_daemon
    make_tasks
    look
    if ((KEEP)); then
        print_ways_in
    else
        step "all of it worked; stopping and deleting it"
    fi
}

case "${1-} $#" in
' 0') run ;;
'--keep 1')
    KEEP=1
    run
    ;;
'--stop 2') stop_kept "$2" ;;
'-h 1' | '--help 1') usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
