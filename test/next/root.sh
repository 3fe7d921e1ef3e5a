#!/bin/sh
# root.sh: prints the directory of a Debian 13 with Postfix 3.10 and, unpacked aside as test/install.sh does, Sendmail
# 8.18. It is made when it is asked for the first time, in a minute, and again when this file has changed.
set -eu
roots=/var/cache/mailweir-test/next
dir=$roots/$(cksum <"$0" | cut -d ' ' -f 1)

mkdir -p $roots
exec 9>$roots/lock
flock 9
if [ ! -e "$dir" ]; then
	rm -rf "${roots:?}"/[0-9]*
	# Files that the tests make belong to users and groups of the host: they have the same numbers there.
	users=$(mktemp -d)
	trap 'rm -r "$users"' EXIT
	getent group postfix postdrop >"$users/group"
	getent passwd postfix >"$users/passwd"
	# shellcheck disable=SC2016 # $1 is the root, for mmdebstrap's shell
	mmdebstrap --quiet --variant=minbase --include=postfix,postfix-pcre,postfix-ldap,ca-certificates,m4,procps \
		--essential-hook="for name in group passwd; do cat $users/\$name >>\"\$1\"/etc/\$name; done" \
		--customize-hook='aside=$1/var/cache/mailweir-test/sendmail
			mkdir -p "$aside" "$1/work"
			chmod 777 "$1/work"
			chroot "$1" sh -c "cd /work && apt-get download -qq sendmail-bin sendmail-cf libwrap0"
			for deb in "$1"/work/*.deb; do dpkg -x "$deb" "$aside"; done
			rm -r "$1/work"
			chmod 755 "$aside/usr/libexec/sendmail/sendmail"
			touch "$aside/complete"' \
		trixie "$dir.new" >&2
	mv "$dir.new" "$dir"
fi
echo "$dir"
