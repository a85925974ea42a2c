#!/busybox sh
# First program of the virtual machine: loads drivers, shows it the host's files, read-only, runs
# the tests and switches the machine off. /settings, written by the host, says what to run.
/busybox mkdir -p /proc /sys /dev /host
/busybox mount -t proc proc /proc
/busybox mount -t sysfs sys /sys
/busybox mount -t devtmpfs dev /dev
. /settings

finish() {
    echo "guest ends with $1" >/dev/ttyS1
    /busybox sleep 0.2  # the serial port drains
    /busybox poweroff -f
}

# In the order of their names: what a module needs comes before it.
for module in /modules/*.ko; do
    /busybox insmod "$module" || finish "a module that does not load: $module"
done
/busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host ||
    finish "no files of the host"
for folder in proc sys dev; do
    /busybox mount --bind /$folder /host/$folder
done
/busybox ifconfig lo up  # for servers of tests
# The only place that can be written.
/busybox mount -t tmpfs scratch /host/run
/busybox mkdir -p /host/run/tmp
/busybox cp -r "/host$COMPILED" /host/run/compiled
/busybox cp -r /devices /host/run/devices
/busybox stty -F /dev/ttyS1 raw -echo

/busybox chroot /host /usr/bin/env -i \
    HOME=/run TMPDIR=/run/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/run/compiled NUMBA_CPU_NAME=generic \
    NUMBA_CPU_FEATURES= GST_REGISTRY="$PLUGINS" GST_REGISTRY_UPDATE=no \
    FACESTREAM_GUEST=1 FACESTREAM_NO_SKIPS=1 \
    sh -c "cd '$PROJECT' && exec $COMMAND" </dev/null >/dev/ttyS1 2>&1
finish $?
