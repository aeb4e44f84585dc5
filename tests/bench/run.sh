#!/bin/bash
# Every claim about speed beside its alternative. Usage: tests/bench/run.sh [--quick] [--json FILE] [SUBJECT...]
# Installs and builds what it needs. BUILD_DIR moves the build, as for tests/run.sh.
set -euo pipefail

SOURCE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$(realpath -m -- "${BUILD_DIR:-$SOURCE/build}")/release
LOG=$(mktemp -t taskd-bench-build.XXXXXX)
readonly SOURCE BUILD LOG
trap 'rm -f -- "$LOG"' EXIT

build() {
    "$SOURCE/vstart/install-deps.sh" && cd -- "$SOURCE" && cmake --preset release -B "$BUILD" &&
        cmake --build "$BUILD" --parallel --target ceph-taskd ceph-task test-ceph-taskd engine_bench cluster_bench fixed_answer
}

if ! build >"$LOG" 2>&1; then
    tail -n 40 "$LOG"
    exit 1
fi
TASKD_SOURCE_DIR=$SOURCE TASKD_BINARY_DIR=$BUILD python3 "$SOURCE/tests/bench/side_by_side.py" "$@"
