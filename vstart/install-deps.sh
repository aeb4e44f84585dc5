#!/bin/bash
# Installs what building, running and testing need on Debian 12 or later, from Debian's packages.
# Running it again costs a moment when nothing is missing. Starts no service.
set -euo pipefail

BUILD=(build-essential g++ cmake ninja-build pkg-config ccache)

# clang is the second compiler: -Wthread-safety, libFuzzer and the linter.
CHECK=(clang clang-format clang-tidy mandoc)

# Boost: only the headers, and of the version with which the distribution built librados.
LIBRARIES=(librados-dev librbd-dev libboost-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libcrypt-dev libjwt-dev libssl-dev
    zlib1g-dev libsystemd-dev prometheus-cpp-dev libgoogle-perftools-dev)

TESTS=(libgtest-dev libgmock-dev libbenchmark-dev python3-jsonschema curl jq procps wrk nginx-light)

# vstart.sh. ceph-common brings the `ceph` and `rbd` commands. The Python bindings are its
# dependencies today, but vstart.sh uses them itself. The dashboard is what we compare us with.
CLUSTER=(ceph-mon ceph-mgr ceph-osd ceph-common ceph-mgr-dashboard python3 python3-rados python3-rbd)

# What drives the browser, and checks the description of the routes, is JavaScript, which npm installs:
# tests/e2e/browser/package.json, tests/lint/openapi/package.json. Debian's nodejs and npm are
# left out where others bring these commands; theirs would take their place.
BROWSER=(chromium)
command -v node >/dev/null || BROWSER+=(nodejs)
command -v npm >/dev/null || BROWSER+=(npm)

# Where the machine says which services may start when a package is installed (see invoke-rc.d).
readonly POLICY=/usr/sbin/policy-rc.d

AS_ROOT=()
APT_LOG=
DOWNLOADS=
POLICY_IS_OURS=0
INDEX_IS_FRESH=0

die() {
    echo "install-deps: $*" >&2
    exit 1
}

missing_of() {
    local package
    for package; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

become_root() {
    [[ $EUID != 0 ]] || return 0
    command -v sudo >/dev/null || die "run it as root, or install sudo"
    AS_ROOT=(sudo)
}

forbid_services() {
    [[ ! -e $POLICY ]] || return 0
    POLICY_IS_OURS=1
    printf '#!/bin/sh\nexit 101\n' | "${AS_ROOT[@]}" tee "$POLICY" >/dev/null
    "${AS_ROOT[@]}" chmod 0755 "$POLICY"
}

tidy_up() {
    if ((POLICY_IS_OURS)); then "${AS_ROOT[@]}" rm -f "$POLICY"; fi
    if [[ -n $APT_LOG ]]; then rm -f "$APT_LOG"; fi
    if [[ -n $DOWNLOADS ]]; then rm -rf -- "$DOWNLOADS"; fi
}

apt_get() {
    "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >>"$APT_LOG" 2>&1
}

refresh_index() {
    ((INDEX_IS_FRESH == 0)) || return 0
    apt_get update || apt_get update || die "apt-get update failed twice: $(tail -n 20 "$APT_LOG")"
    INDEX_IS_FRESH=1
}

prepare() {
    [[ -z $APT_LOG ]] || return 0
    become_root
    APT_LOG=$(mktemp)
    trap tidy_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    forbid_services
}

install_missing() {
    local -a missing
    mapfile -t missing < <(missing_of "$@")
    ((${#missing[@]})) || return 0
    prepare
    refresh_index
    echo "installing: ${missing[*]}"
    apt_get install -y --no-install-recommends "${missing[@]}" || die "apt-get install failed: $(tail -n 20 "$APT_LOG")"
}

# The sanitizers' runtime for clang is a package of its own, named after clang's version, since
# Debian 12; elsewhere clang brings it.
install_clang_runtime() {
    local package
    package=$(dpkg-query -W -f '${Depends}' clang | sed -n 's/^clang-\([0-9]*\).*/libclang-rt-\1-dev/p')
    [[ -n $package && -n $(missing_of "$package") ]] || return 0
    if apt-cache show "$package" >/dev/null 2>&1; then install_missing "$package"; fi
}

# Prometheus' own check of metrics and of rules is a program of the server's package. That one would enable a service,
# which the next start of the machine runs, so only the program is taken out of it, beside what people install by hand.
install_promtool() {
    [[ -z $(type -P promtool) ]] || return 0
    prepare
    refresh_index
    echo "installing: promtool, out of the package prometheus"
    DOWNLOADS=$(mktemp -d)
    (cd -- "$DOWNLOADS" && apt-get -qq download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb |
        tar -x ./usr/bin/promtool && "${AS_ROOT[@]}" install -m 0755 usr/bin/promtool /usr/local/bin/) >>"$APT_LOG" 2>&1 ||
        die "promtool: $(tail -n 20 "$APT_LOG")"
}

install_missing "${BUILD[@]}" "${CHECK[@]}" "${LIBRARIES[@]}" "${TESTS[@]}" "${CLUSTER[@]}" "${BROWSER[@]}"
install_clang_runtime
install_promtool
echo "all dependencies are installed"
