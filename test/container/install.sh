#!/bin/sh
# Installs what the container test needs on a Debian machine: a Docker engine,
# which is not started, a compose command, and mmdebstrap for where no image
# registry can be reached. Does nothing when all is there; says so and does
# nothing without root or apt.
set -eu

packages=
for pair in dockerd:docker.io docker:docker.io docker-compose:docker-compose mmdebstrap:mmdebstrap; do
	if ! PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null 2>&1; then
		packages="$packages ${pair#*:}"
	fi
done
if [ -z "$packages" ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "test/container/install.sh: no apt-get here; install by hand:$packages" >&2
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "test/container/install.sh: run as root to install:$packages" >&2
	exit 0
fi

# The engine of the package is not to start: the test starts one of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # the list is meant to split
apt-get install -q -y --no-install-recommends $packages
