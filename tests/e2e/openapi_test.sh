#!/bin/bash
# Compares the answers of a daemon on a real cluster with what /api/openapi.json says. Usage: openapi_test.sh [CHECK...]
# Needs TASKD_SOURCE_DIR and TASKD_BINARY_DIR (the build folder); tests/run.sh sets both.
set -uo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export TASKD_SOURCE_DIR=${TASKD_SOURCE_DIR:-$(cd -- "$HERE/../.." && pwd)}
export TASKD_BINARY_DIR=${TASKD_BINARY_DIR:-${BUILD_DIR:-$TASKD_SOURCE_DIR/build}/release}
unset CEPH_ARGS CEPH_KEYRING CEPH_CONF TASKD_VSTART_DIR TASKD_LISTEN TASKD_SOCKET CEPH_TASKD_URL
exec python3 -B "$HERE/openapi.py" "$@"
