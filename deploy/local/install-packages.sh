#!/bin/sh
# As root: installs the named Debian packages and sees to it that none of their services starts, now or at the next
# boot. RabbitMQ's would take the well-known ports, and we run a node of our own.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi

had_epmd=$(pgrep -x epmd || true)

apt-get -o DPkg::Lock::Timeout=120 update
apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$@"

if [ -d /run/systemd/system ] && systemctl cat rabbitmq-server.service >/dev/null 2>&1; then
	systemctl disable --now rabbitmq-server.service
fi

# the package's set-up asks Erlang for its version, which leaves a port mapper behind
if [ -z "$had_epmd" ] && command -v epmd >/dev/null; then
	epmd -kill || true
fi
