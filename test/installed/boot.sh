# boot.sh DIR LOWER: in namespaces of its own, mounts an overlay over LOWER below DIR, makes it the
# root, and becomes its systemd. Whatever is mounted here is gone with the namespaces.
# shellcheck disable=SC2239,SC2148 # bash is given it as an argument: $0 is DIR, $1 is LOWER
R=$0/root
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$R"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$0/upper,workdir=$0/work" "$R"

mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys"
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$R/dev/shm"
ln -s /proc/self/fd "$R/dev/fd"
for name in null zero full random urandom tty; do
	touch "$R/dev/$name"
	mount --bind "/dev/$name" "$R/dev/$name"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
mount -t tmpfs -o mode=755 tmpfs "$R/run"
mount -t tmpfs -o mode=1777 tmpfs "$R/tmp"

# Downloads of the day, checks of disks and consoles have no place here.
rm -rf "$R"/etc/systemd/system/{getty.target,timers.target,sysinit.target}.wants
ln -s /dev/null "$R/etc/systemd/system/console-getty.service"
rm -f "$R/etc/systemd/system/multi-user.target.wants/e2scrub_reap.service"
# Every boot is the first: systemd sets a fresh machine's presets otherwise.
echo 00000000000000000000000000000001 >"$R/etc/machine-id"

ip link set lo up
for net in 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24; do
	ip route add local "$net" dev lo
done

cd "$R"
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-rshared / # without it systemd hands out no credentials
exec env -i container=mailweir-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=multi-user.target --show-status=no
