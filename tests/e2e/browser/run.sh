#!/bin/bash
# Tests a web page in a browser: see browser.py, whose arguments it takes. Its last line is `N passed, N failed`.
# Needs TASKD_SOURCE_DIR and TASKD_BINARY_DIR (the build folder); tests/run.sh sets both. What npm brings and the
# screenshots are in the folder `browser` beside the build folder.
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../../support/npm_packages.sh"
export TASKD_SOURCE_DIR=${TASKD_SOURCE_DIR:-$(cd -- "$HERE/../../.." && pwd)}
export TASKD_BINARY_DIR=${TASKD_BINARY_DIR:-${BUILD_DIR:-$TASKD_SOURCE_DIR/build}/release}
export TASKD_BROWSER_DIR=${TASKD_BROWSER_DIR:-$(dirname -- "$TASKD_BINARY_DIR")/browser}
unset CEPH_ARGS CEPH_KEYRING CEPH_CONF TASKD_VSTART_DIR TASKD_LISTEN TASKD_SOCKET CEPH_TASKD_URL VSTART_EXTRA_CONF

mkdir -p -- "$TASKD_BROWSER_DIR"
cd -- "$TASKD_BROWSER_DIR"
install_npm_packages "$HERE" # for both pages, which may be tested at the same time
exec python3 -B "$HERE/browser.py" "$@"
