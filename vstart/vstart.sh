#!/bin/bash
# A real throw-away Ceph cluster on loopback, from the distribution's packages: no container, no
# systemd, no root. See usage() below.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
trap 'exit 130' INT # by itself bash drops a Ctrl-C that some short-lived child survived

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# The distribution's own, for which the packages bring the bindings.
PYTHON=/usr/bin/python3
readonly HERE PYTHON
# shellcheck source=lib/process.sh
source "$HERE/lib/process.sh"
# shellcheck source=lib/cluster.sh
source "$HERE/lib/cluster.sh"
# shellcheck source=lib/conf.sh
source "$HERE/lib/conf.sh"
# shellcheck source=lib/start.sh
source "$HERE/lib/start.sh"

usage() {
    cat <<'END'
Usage: vstart.sh COMMAND [--dir D] [OPTION...]

  start        make the cluster and start it, or start what of it is not running
  stop         end its daemons; the data stays and `start` brings it back
  wipe         stop, then delete the directory
  status       one line a daemon; exit status 0 only when all of them run
  env          print `export` lines: eval "$(vstart.sh env)"
  pids         print "NAME PID" for each running daemon
  kill NAME [SIGNAL]   signal one daemon, e.g. `kill osd.0`, `kill mon.a STOP` (default KILL)
  revive NAME  start one daemon again

Options of `start`, remembered by the directory:
  --mons N (1)   --mgrs N (1)   --osds N (1)
  --size N       copies of each object (default: 2, or 1 with a single OSD)
  --objectstore memstore|bluestore (memstore: in memory, saved only by an orderly stop)
  --dashboard    also Ceph's dashboard, on plain HTTP
  --compat-keys  Ceph 20: a client key that librados 16 and 18 can read as well

The directory is --dir, else $TASKD_VSTART_DIR, else ./vstart-cluster. All of the cluster is in it.
$VSTART_EXTRA_CONF holds more lines for a new cluster's ceph.conf, sections included.
$VSTART_TIMEOUT bounds, in seconds, how long `start` waits for the cluster to serve (60).
Any local user who can enter the directory can administer the cluster.
END
}

die() {
    echo "vstart: $*" >&2
    exit 1
}

usage_error() {
    echo "vstart: $* (vstart.sh --help)" >&2
    exit 2
}

require_number() {
    [[ $2 =~ ^[1-9][0-9]?$ ]] || usage_error "$1 takes a number from 1 to 99, not '$2'"
}

# shellcheck disable=SC2034 # ASKED is for cluster.sh
# Fills COMMAND, OPERANDS, DIR and ASKED (the options given, by name).
parse_arguments() {
    declare -gA ASKED=()
    OPERANDS=()
    local directory=${TASKD_VSTART_DIR:-$PWD/vstart-cluster}
    while (($#)); do
        local option=$1 value=
        shift
        case $option in
        -h | --help) usage && exit 0 ;;
        --dashboard) ASKED[dashboard]=1 && continue ;;
        --compat-keys) ASKED[compat_keys]=1 && continue ;;
        --*=*) value=${option#*=} option=${option%%=*} ;;
        --*) (($#)) || usage_error "$option needs a value" && value=$1 && shift ;;
        *) OPERANDS+=("$option") && continue ;;
        esac
        case $option in
        --dir) directory=$value ;;
        --mons | --mgrs | --osds | --size) require_number "$option" "$value" && ASKED[${option#--}]=$value ;;
        --objectstore)
            [[ $value == memstore || $value == bluestore ]] || usage_error "no object store '$value'"
            ASKED[objectstore]=$value
            ;;
        *) usage_error "unknown option $option" ;;
        esac
    done
    ((${#OPERANDS[@]})) || usage_error "no command"
    COMMAND=${OPERANDS[0]}
    DIR=$(realpath -m -- "$directory")
    [[ $DIR != *[\"\,\;\#=\$\\$'\n']* ]] || usage_error "a directory name that ceph.conf cannot hold: $DIR"
}

command_start() {
    local began=$EPOCHREALTIME
    check_programs
    claim_directory
    lock_directory
    load_settings
    check_asked_settings
    if is_made && all_alive; then
        echo "already running: $DIR"
    else
        start_cluster
        printf 'started in %s s: %s\n' "$(seconds_since "$began")" "$(describe)"
    fi
    echo "export CEPH_CONF=$(printf %q "$CONF")"
    print_dashboard
}

check_programs() {
    local program
    for program in ceph-mon ceph-mgr ceph-osd ceph-authtool monmaptool osdmaptool "$PYTHON"; do
        command -v "$program" >/dev/null || die "no $program here; vstart/install-deps.sh installs it"
    done
}

seconds_since() {
    local microseconds=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
    printf '%d.%02d' $((microseconds / 1000000)) $((microseconds / 10000 % 100))
}

command_stop() {
    if [[ ! -e $MARKER ]]; then
        echo "nothing to stop: $DIR"
        return
    fi
    lock_directory
    stop_all
    echo "stopped: $DIR"
}

command_wipe() {
    [[ -e $DIR ]] || { echo "nothing to wipe: $DIR" && return; }
    [[ -f $MARKER ]] || die "will not delete $DIR: vstart did not make it"
    lock_directory
    stop_all
    rm -rf -- "$DIR"
    echo "wiped: $DIR"
}

command_status() {
    need_cluster
    local name missing=0
    for name in "${DAEMONS[@]}"; do
        if is_alive "$name"; then
            echo "$name $PID running"
        else
            echo "$name - down"
            missing=1
        fi
    done
    return $missing
}

command_pids() {
    need_cluster
    local name
    for name in "${DAEMONS[@]}"; do
        if is_alive "$name"; then echo "$name $PID"; fi
    done
}

command_env() {
    need_cluster
    echo "export CEPH_CONF=$(printf %q "$CONF")"
    if ((SETTINGS[dashboard])); then
        echo "export VSTART_DASHBOARD_URL=http://127.0.0.1:${SETTINGS[dashboard_port]}"
        echo "export VSTART_DASHBOARD_USER=admin"
        echo "export VSTART_DASHBOARD_PASSWORD=$(<"$DIR/dashboard-password")"
    fi
}

command_kill() {
    need_cluster
    local name=${OPERANDS[1]-} signal=${OPERANDS[2]-KILL}
    require_daemon "$name"
    lock_directory
    is_alive "$name" || die "$name is not running"
    kill -s "$signal" "$PID"
    [[ ! $signal =~ ^((SIG)?KILL|9)$ ]] || await_gone "$KILL_BOUND" "$name" || die "$name ($PID) survived SIGKILL"
}

command_revive() {
    need_cluster
    local name=${OPERANDS[1]-}
    require_daemon "$name"
    lock_directory
    if is_alive "$name"; then
        echo "already running: $name"
    else
        spawn_daemon "$name"
    fi
}

need_cluster() {
    is_made || die "no cluster in $DIR (vstart.sh start makes one)"
    load_settings
}

require_daemon() {
    [[ " ${DAEMONS[*]} " == *" $1 "* ]] || usage_error "no daemon '$1'; there are: ${DAEMONS[*]}"
}

main() {
    parse_arguments "$@"
    # What the caller's shell says about another cluster must not reach this one.
    unset CEPH_ARGS CEPH_KEYRING
    CONF=$DIR/ceph.conf
    MARKER=$DIR/.ceph-vstart
    export CEPH_CONF=$CONF
    case $COMMAND in
    start | stop | wipe | status | env | pids) ((${#OPERANDS[@]} == 1)) || usage_error "$COMMAND takes no operand" ;;
    kill | revive) ;;
    *) usage_error "unknown command '$COMMAND'" ;;
    esac
    "command_$COMMAND"
}

main "$@"
