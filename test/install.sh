#!/bin/sh
# Installs what the tests need on a Debian machine from apt: the MTAs' helpers,
# directories, databases and scanners that mailweir asks, other readers of mail
# to compare with; unpacked aside are Sendmail, because its package and
# Postfix's exclude each other, and Prometheus and fail2ban, whose packages would
# start daemons at the next boot; and bare Debian roots for test/installed.
# "test/install.sh bench" adds what only the bench needs: Hyperscan to compare
# with, and strace, which plays a slow disk.
# Does nothing when all is there; says so and does nothing without root or apt.
set -eu

cache=/var/cache/mailweir-test
sendmail=$cache/sendmail
packages="
	postfix postfix-pcre postfix-ldap postfix-mysql postfix-pgsql postfix-sqlite
	dovecot-core dovecot-lmtpd rbldnsd unbound redis-server
	slapd ldap-utils mariadb-server postgresql sqlite3
	clamav-daemon rspamd spamd postgrey
	libmilter-dev gcc libc6-dev m4 iproute2 chromium
	opendkim-tools python3-dkim libmime-tools-perl ripmime mpack
	python3-docx python3-openpyxl python3-odf python3-vobject docx2txt odt2txt unrtf
	mmdebstrap lintian rpm qemu-user-static"
if [ "${1:-}" = bench ]; then
	packages="$packages libhyperscan-dev strace"
fi
# libwrap0 is the one library of sendmail-bin that a plain system lacks.
debs="sendmail-bin sendmail-cf libwrap0"

installed() {
	dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed
}

if ! command -v apt-get >/dev/null 2>&1; then
	echo "test/install.sh: no apt-get here; install by hand: $packages sendmail" >&2
	exit 0
fi
# shellcheck disable=SC2086 # the lists are meant to split
missing=$(($(set -- $packages; echo $#) - $(installed $packages || true)))
here=$(dirname "$0")
roots() {
	for mta in postfix sendmail; do
		"$here/installed/root.sh" $mta >/dev/null
	done
}
if [ "$missing" -eq 0 ] && [ -e "$sendmail/complete" ] && [ -e $cache/prometheus/complete ] && [ -e $cache/fail2ban/complete ]; then
	if [ "$(id -u)" -eq 0 ]; then
		roots
	fi
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "test/install.sh: run as root to install: $packages, and Sendmail, Prometheus and fail2ban below $cache" >&2
	exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
if [ "$missing" -ne 0 ]; then
	# No daemon of these packages is to start here: the tests start their own.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		trap 'rm -f $policy' EXIT
	fi
	# shellcheck disable=SC2086
	apt-get install -q -y --no-install-recommends $packages
fi

# aside NAME DEB… unpacks packages below the cache. Whoever calls it marks that it is complete.
aside() {
	name=$1
	shift
	work=$(mktemp -d)
	rm -rf "${cache:?}/$name"
	mkdir -p "$cache/$name"
	# apt fetches as a user of its own, which must be able to write here.
	chmod 777 "$work"
	(cd "$work" && apt-get download -q "$@")
	for deb in "$work"/*.deb; do
		dpkg -x "$deb" "$cache/$name"
	done
	rm -rf "$work"
}
if [ ! -e "$sendmail/complete" ]; then
	# shellcheck disable=SC2086
	aside sendmail $debs
	# A set-group-id program would ignore the LD_LIBRARY_PATH that finds libwrap.
	chmod 755 "$sendmail/usr/libexec/sendmail/sendmail"
	touch "$sendmail/complete"
fi
for one in prometheus fail2ban; do
	if [ ! -e "$cache/$one/complete" ]; then
		aside "$one" "$one"
		touch "$cache/$one/complete"
	fi
done

roots
