# shellcheck shell=bash
# The cluster's ceph.conf.

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

# Writes $CONF for the cluster $FSID whose mons have $MON_PORTS.
write_conf() {
    local initial_modules= mon_hosts
    mon_hosts=$(printf ',[v2:127.0.0.1:%s]' "${MON_PORTS[@]}")
    if ((SETTINGS[dashboard])); then initial_modules=dashboard; fi
    pick_port 20000 32000
    cat >"$CONF" <<END
[global]
fsid = $FSID
mon host = ${mon_hosts#,}
keyring = $DIR/\$type.\$id/keyring
log file = $DIR/log/\$name.log
run dir = $DIR/run
crash dir =
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
paxos propose interval = 0.01
paxos min wait = 0.005
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
mon election timeout = 0.5
mon compact on start = false
osd heartbeat interval = 1
osd heartbeat grace = 3
osd mon report interval = 1
osd boot notify delay = 0.1
osd mon shutdown timeout = 0.5

# It makes a pool only after a trial that may take as long as the lease: on a busy machine "timed out during smoke test".
mon osd crush smoke test = false

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
mgr initial modules = $initial_modules
# A mon whose port was taken meanwhile is to end at once, so that we can choose another.
ms bind retry count = 1

[mgr]
mgr data = $DIR/mgr.\$id
admin socket = $(admin_socket)
err to stderr = false
public addr = 127.0.0.1
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
