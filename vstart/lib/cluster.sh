# What the cluster consists of: its directory, settings, configuration, first maps and daemons.

readonly MON_IDS=(a b c d e f g h i) MGR_IDS=(x y z)
STARTED=() # daemons that this run started
HELPERS=() # pids of short programs that this run started

declare -A SETTINGS=()

check_programs() {
    local program
    for program in ceph-mon ceph-mgr ceph-osd ceph-authtool monmaptool osdmaptool; do
        command -v "$program" >/dev/null || die "no $program here; vstart/install-deps.sh installs it"
    done
    # The distribution's own Python, for which the packages bring the bindings.
    /usr/bin/python3 -c '' || die "no /usr/bin/python3"
}

# --- the directory ------------------------------------------------------------------------------

# Makes the directory ours, or fails when it is somebody else's.
claim_directory() {
    [[ ! -f $MARKER ]] || return 0
    mkdir -p -- "$DIR"
    [[ -z $(ls -A -- "$DIR") || -f $MARKER ]] || die "$DIR is not empty and vstart did not make it"
    : >>"$MARKER"
}

# One vstart.sh at a time works on a directory. A wipe deletes the file that the others wait on.
lock_directory() {
    exec 9>>"$MARKER"
    flock -w 120 9 || die "another vstart.sh has been busy with $DIR for 120 s"
    [[ $MARKER -ef /dev/fd/9 ]] || die "$DIR was wiped meanwhile"
}

is_made() {
    [[ -f $DIR/settings ]]
}

load_settings() {
    SETTINGS=([mons]=1 [mgrs]=1 [osds]=1 [objectstore]=memstore [dashboard]=0 [compat-keys]=0)
    local key value
    if is_made; then
        while IFS== read -r key value; do SETTINGS[$key]=$value; done <"$DIR/settings"
        return
    fi
    for key in "${!ASKED[@]}"; do SETTINGS[$key]=${ASKED[$key]}; done
    : "${SETTINGS[size]=$((SETTINGS[osds] > 1 ? 2 : 1))}"
}

save_settings() {
    local key
    for key in "${!SETTINGS[@]}"; do echo "$key=${SETTINGS[$key]}"; done >"$DIR/settings"
}

check_asked_settings() {
    local key
    for key in "${!ASKED[@]}"; do
        [[ ${SETTINGS[$key]} == "${ASKED[$key]}" ]] ||
            die "the cluster in $DIR was made with $key ${SETTINGS[$key]}, not ${ASKED[$key]}; wipe it first"
    done
    ((SETTINGS[mons] <= ${#MON_IDS[@]})) || die "at most ${#MON_IDS[@]} mons"
    ((SETTINGS[mgrs] <= ${#MGR_IDS[@]})) || die "at most ${#MGR_IDS[@]} mgrs"
    ((SETTINGS[size] <= SETTINGS[osds])) || die "${SETTINGS[size]} copies need as many OSDs"
}

# --- names and descriptions ---------------------------------------------------------------------

mon_ids() { printf '%s\n' "${MON_IDS[@]:0:SETTINGS[mons]}"; }
mgr_ids() { printf '%s\n' "${MGR_IDS[@]:0:SETTINGS[mgrs]}"; }
osd_ids() { seq 0 $((SETTINGS[osds] - 1)); }

daemon_names() {
    mon_ids | sed 's/^/mon./'
    osd_ids | sed 's/^/osd./'
    mgr_ids | sed 's/^/mgr./'
}

all_alive() {
    local name
    for name in $(daemon_names); do is_alive "$name" || return 1; done
}

describe() {
    echo "${SETTINGS[mons]} mon, ${SETTINGS[mgrs]} mgr, ${SETTINGS[osds]} osd (${SETTINGS[objectstore]}), pool rbd of size ${SETTINGS[size]}"
}

print_dashboard() {
    if ((SETTINGS[dashboard])); then
        echo "dashboard http://127.0.0.1:${SETTINGS[dashboard_port]} user admin, password in $DIR/dashboard-password"
    fi
}

# --- making it ----------------------------------------------------------------------------------

# Sets PORT to a random one in [$1, $2] on which nobody listens. Below 32768, where the kernel
# takes the ports of outgoing connections from. Random, so that clusters started at the same
# moment rarely meet; a mon that loses the race says so and is given another port.
pick_port() {
    local attempt
    for ((attempt = 0; attempt < 100; attempt++)); do
        PORT=$(($1 + SRANDOM % ($2 - $1 + 1)))
        (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null || return 0
    done
    die "no free port from $1 to $2"
}

# Modules that a mgr would load and nobody here needs: they cost a second and 180 MiB. Those that
# Ceph insists on (always-on) stay, else it reports an error.
optional_mgr_modules() {
    local directory name
    for directory in /usr/share/ceph/mgr/*/; do
        name=${directory%/}
        name=${name##*/}
        case $name in
        balancer | crash | devicehealth | orchestrator | pg_autoscaler | progress | rbd_support | status | telemetry | volumes) ;;
        dashboard) ((SETTINGS[dashboard])) || printf '%s ' "$name" ;;
        *) printf '%s ' "$name" ;;
        esac
    done
}

write_conf() {
    local id mon_host= initial_modules=
    MON_ADDRESSES=()
    for id in $(mon_ids); do
        pick_port 10000 19999
        MON_ADDRESSES+=("$id" "[v2:127.0.0.1:$PORT]")
        mon_host+=${mon_host:+,}"[v2:127.0.0.1:$PORT]"
    done
    pick_port 20000 32000
    if ((SETTINGS[dashboard])); then initial_modules=dashboard; fi
    cat >"$CONF" <<END
[global]
fsid = $FSID
mon host = $mon_host
keyring = $DIR/\$type.\$id/keyring
log file = $DIR/log/\$name.log
run dir = $DIR/run
crash dir = $DIR/run
pid file =
ms bind msgr1 = false
ms bind port min = $PORT
ms bind port max = $((PORT + 700))

# One host, few copies, little data.
osd crush chooseleaf type = 0
osd pool default size = ${SETTINGS[size]}
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd pool default erasure code profile = plugin=jerasure technique=reed_sol_van k=2 m=1 crush-failure-domain=osd
mon allow pool delete = true
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail warn = 1
mon data avail crit = 0
auth allow insecure global id reclaim = false

# Production timers are seconds long; on loopback they would only be waited for.
paxos propose interval = 0.05
paxos min wait = 0.01
mon tick interval = 1
mon mgr digest period = 1
mgr tick period = 1
mgr stats period = 1
mon mgr proxy client ping = 0
mon client hunt interval = 0.3
mon client hunt interval backoff = 1.1
mon client ping interval = 1
mon client ping timeout = 3
objecter tick interval = 0.25
objecter timeout = 1
ms initial backoff = 0.05
ms max backoff = 0.5
mon lease = 1
mon lease ack timeout factor = 1.5
mon election timeout = 1
mon compact on start = false
osd heartbeat interval = 1
osd heartbeat grace = 3
osd mon report interval = 1
osd boot notify delay = 0.1
osd mon shutdown timeout = 0.5

# Without these a frozen OSD is never marked down when all share one host.
mon osd adjust heartbeat grace = false
mon osd reporter subtree level = osd
mon osd min down reporters = 1
osd recovery sleep hdd = 0
osd recovery sleep ssd = 0
osd recovery sleep hybrid = 0
osd recovery max active = 50
osd max backfills = 10

debug ms = 0/0
debug osd = 0/0
debug mon = 0/0
debug paxos = 0/0
debug auth = 0/0
debug monc = 0/0
debug rocksdb = 0/0
debug bluestore = 0/0
debug bdev = 0/0
debug bluefs = 0/0

[mon]
mon data = $DIR/mon.\$id
mon cluster log file = $DIR/log/cluster.log
admin socket = $(admin_socket)
err to stderr = false
# A mon whose port was taken meanwhile is to end at once, so that we can choose another.
ms bind retry count = 1

[mgr]
mgr data = $DIR/mgr.\$id
admin socket = $(admin_socket)
err to stderr = false
public addr = 127.0.0.1
mgr initial modules = $initial_modules
mgr disabled modules = $(optional_mgr_modules)

[osd]
osd data = $DIR/osd.\$id
admin socket = $(admin_socket)
err to stderr = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd objectstore = ${SETTINGS[objectstore]}
# An orderly stop of a memstore saves it only on the slow way.
osd fast shutdown = false
osd crush update on start = false
osd op num shards = 2
osd op num threads per shard = 1
osd mclock skip benchmark = true
memstore device bytes = 4294967296
bluestore block size = 4294967296

[client]
keyring = $DIR/keyring
log file =
admin socket =
${VSTART_EXTRA_CONF-}
END
}

# Empty where the path would not fit into a socket address (107 bytes).
admin_socket() {
    if ((${#DIR} < 85)); then echo "$DIR/run/\$name.asok"; fi
}

# Makes one keyring file: NAME, then --cap arguments. ceph-authtool knows the release's key type.
make_key() {
    local name=$1 type=()
    shift
    if [[ $name == client.admin ]] && ((SETTINGS[compat-keys])); then type=(--key-type aes); fi
    CEPH_CONF=/dev/null ceph-authtool --create-keyring "$DIR/boot/$name.keyring" --gen-key "${type[@]}" -n "$name" "$@" >/dev/null
}

# The first keys and maps. Files handed to `ceph-mon --mkfs` save all registration commands.
make_keys_and_maps() {
    local id ciphers=()
    mkdir "$DIR/boot"
    if ((SETTINGS[compat-keys])); then ciphers=(--auth-allowed-ciphers aes,aes256k); fi
    run_helper make_key mon. --cap mon 'allow *'
    run_helper make_key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
    for id in $(mgr_ids); do
        run_helper make_key "mgr.$id" --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'
    done
    for id in $(osd_ids); do
        run_helper make_key "osd.$id" --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
    done
    local -a additions=()
    for ((id = 0; id < ${#MON_ADDRESSES[@]}; id += 2)); do
        additions+=(--addv "${MON_ADDRESSES[id]}" "${MON_ADDRESSES[id + 1]}")
    done
    run_helper quietly monmaptool --create --fsid "$FSID" "${ciphers[@]}" "${additions[@]}" "$DIR/boot/monmap"
    # No --with-default-pool: the mons never make the PGs of a pool that is in the first map.
    run_helper quietly osdmaptool "$DIR/boot/osdmap" --createsimple "${SETTINGS[osds]}"
    await_helpers
    cat "$DIR"/boot/*.keyring >"$DIR/boot/all"
    install -m 0644 "$DIR/boot/client.admin.keyring" "$DIR/keyring"
    for id in $(mgr_ids); do install -D -m 0600 "$DIR/boot/mgr.$id.keyring" "$DIR/mgr.$id/keyring"; done
    for id in $(osd_ids); do install -D -m 0600 "$DIR/boot/osd.$id.keyring" "$DIR/osd.$id/keyring"; done
}

quietly() { "$@" >"$DIR/log/maps.log" 2>&1; }

run_helper() {
    "$@" 9>&- &
    HELPERS+=($!)
}

await_helpers() {
    local pid
    for pid in "${HELPERS[@]}"; do wait "$pid"; done
    HELPERS=()
}

# --- starting it --------------------------------------------------------------------------------

# Makes daemon NAME's store; to be run in the background.
make_store() {
    local name=$1
    case $name in
    mon.*) ceph-mon --mkfs -i "${name#*.}" --fsid "$FSID" --monmap "$DIR/boot/monmap" --osdmap "$DIR/boot/osdmap" --keyring "$DIR/boot/all" ;;
    osd.*) ceph-osd --mkfs -i "${name#*.}" --osd-uuid "$(</proc/sys/kernel/random/uuid)" --no-mon-config ;;
    esac >>"$DIR/log/$name.log" 2>&1
}

spawn_daemon() {
    local name=$1
    spawn "$name" "ceph-${name%%.*}" -f -c "$CONF" -i "${name#*.}"
}

# Fails the start, blaming NAME.
blame() {
    echo "vstart: $1 failed: $2; the end of $DIR/log/$1.log:" >&2
    tail -n 20 "$DIR/log/$1.log" | sed 's/^/  /' >&2
    exit 1
}

# A start that does not reach its end takes back what it began.
abandon_start() {
    local pid
    for pid in "${HELPERS[@]}"; do kill -KILL "$pid" 2>/dev/null && wait "$pid" || true; done 2>/dev/null
    STARTED=()
    stop_all
}

start_cluster() {
    trap abandon_start EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir -p "$DIR/log" "$DIR/run"
    if is_made; then
        local name
        for name in $(daemon_names); do
            is_alive "$name" || spawn_daemon "$name"
        done
        await_pool
    else
        make_and_start
    fi
    trap - EXIT HUP INT TERM
}

make_and_start() {
    local -A store_pids=()
    local name
    rm -rf -- "$DIR"/{boot,mon,osd,mgr}* "$DIR"/run/*
    FSID=$(</proc/sys/kernel/random/uuid)
    write_conf
    make_keys_and_maps
    for name in $(daemon_names); do
        [[ $name != mgr.* ]] || continue
        run_helper make_store "$name"
        store_pids[$name]=$!
    done
    for name in $(daemon_names); do
        if [[ -n ${store_pids[$name]-} ]]; then
            wait "${store_pids[$name]}" || blame "$name" "could not make its store"
        fi
        spawn_daemon "$name"
    done
    HELPERS=()
    await_pool
    rm -rf -- "$DIR/boot"
    save_settings
}

# Waits until the pool serves, watching the daemons meanwhile.
await_pool() {
    local name
    run_helper /usr/bin/python3 "$HERE/make_pool.py" "$CONF" "${VSTART_TIMEOUT:-60}"
    local client=$!
    while read_start_time "$client"; do
        for name in "${STARTED[@]}"; do
            is_alive "$name" || blame "$name" "it ended"
        done
        pause 0.01
    done
    wait "$client" || die "no usable pool; logs in $DIR/log"
    HELPERS=()
}
