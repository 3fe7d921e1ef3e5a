#!/bin/sh
# root.sh MTA: prints the directory of a bare Debian 12 with that MTA ("postfix" or "sendmail") and nothing of ours.
# It is made when it is asked for the first time, in half a minute, and again when this file has changed.
set -eu
mta=$1
roots=/var/cache/mailweir-test/installed
dir=$roots/$mta-$(cksum <"$0" | cut -d ' ' -f 1)

mkdir -p $roots
exec 9>$roots/"$mta".lock
flock 9 # others make it, or still start from it
if [ ! -e "$dir" ]; then
	rm -rf "$roots/$mta"-* # of an older version of this file, or of a run that was ended
	# The name of the host is qualified: without one Sendmail waits a minute at each start. It cannot ask whether the
	# domain of a sender exists: the machines that start from this have no network but loopback.
	# shellcheck disable=SC2016 # $1 is the root, for mmdebstrap's shell
	mmdebstrap --quiet --variant=minbase \
		--include="systemd-sysv,dbus,ca-certificates,procps,iproute2,openssl,$mta" \
		--setup-hook='mkdir -p "$1/etc"
			echo mx.test.example | tee "$1/etc/mailname" >"$1/etc/hostname"
			printf "127.0.0.1 localhost\n127.0.1.1 mx.test.example mx\n" >"$1/etc/hosts"' \
		--customize-hook='rm -f "$1/usr/sbin/policy-rc.d" "$1/etc/resolv.conf"
			echo "nameserver 127.0.0.1" >"$1/etc/resolv.conf"' \
		--customize-hook='if [ -e "$1/etc/mail/sendmail.mc" ]; then
				feature="FEATURE(\`accept_unresolvable_domains'\'')dnl"
				sed -i "s/^MAILER_DEFINITIONS/$feature\n&/" "$1/etc/mail/sendmail.mc"
				chroot "$1" make -C /etc/mail sendmail.cf
			fi' \
		bookworm "$dir.new" >&2
	mv "$dir.new" "$dir"
fi
echo "$dir"
