#!/bin/bash
# Checks src/daemon/ceph-taskd.service.in with systemd-analyze, where there is one: that it is understood, and that what
# it leaves open to the daemon does not grow. It reads files only; no systemd has to run. Usage: service.sh
set -euo pipefail

# systemd's points for what a service may do, times ten: 100 is everything.
readonly MOST_EXPOSED=20

SOURCE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf -- "$WORK"' EXIT

if ! command -v systemd-analyze >/dev/null; then
    echo "there is no systemd-analyze here: not checked"
    exit 0
fi
# With a program that exists, or that would be what is complained about.
sed -e "s|@CMAKE_INSTALL_FULL_BINDIR@/ceph-taskd|$(type -P true)|" "$SOURCE/src/daemon/ceph-taskd.service.in" \
    >"$WORK/ceph-taskd.service"
complaints=$(systemd-analyze verify --man=no "$WORK/ceph-taskd.service" 2>&1 | grep -F ceph-taskd.service || true)
if [[ -n $complaints ]]; then
    echo "$complaints"
    exit 1
fi
systemd-analyze security --offline=yes --no-pager --threshold="$MOST_EXPOSED" "$WORK/ceph-taskd.service"
