#!/bin/sh
# Installs Postfix's programs on a Debian machine, for "make demo". The package's
# own Postfix does not start: the demo has one of its own.
set -eu
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends postfix
