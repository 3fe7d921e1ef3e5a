#!/bin/sh
# Installs what the tests need on a Debian machine from apt: the MTAs' helpers,
# directories, databases and scanners that mailweir asks, other readers of mail
# to compare with, and Sendmail unpacked aside, because its package and
# Postfix's exclude each other; and bare Debian roots for test/installed.
# "test/install.sh bench" adds what only the bench needs: Hyperscan to compare
# with, and strace, which plays a slow disk.
# Does nothing when all is there; says so and does nothing without root or apt.
set -eu

sendmail=/var/cache/mailweir-test/sendmail
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
if [ "$missing" -eq 0 ] && [ -e "$sendmail/complete" ]; then
	if [ "$(id -u)" -eq 0 ]; then
		roots
	fi
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "test/install.sh: run as root to install: $packages, and Sendmail below $sendmail" >&2
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

if [ ! -e "$sendmail/complete" ]; then
	work=$(mktemp -d)
	rm -rf "$sendmail"
	mkdir -p "$sendmail"
	# apt fetches as a user of its own, which must be able to write here.
	chmod 777 "$work"
	# shellcheck disable=SC2086
	(cd "$work" && apt-get download -q $debs)
	for deb in "$work"/*.deb; do
		dpkg -x "$deb" "$sendmail"
	done
	rm -rf "$work"
	# A set-group-id program would ignore the LD_LIBRARY_PATH that finds libwrap.
	chmod 755 "$sendmail/usr/libexec/sendmail/sendmail"
	touch "$sendmail/complete"
fi

roots
