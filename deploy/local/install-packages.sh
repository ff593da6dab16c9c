#!/bin/sh
# As root: installs the named Debian packages and sees to it that none of their services starts, now or at the next
# boot. RabbitMQ's and Apache's would take the well-known ports, and we run nodes and servers of our own.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi

apt-get -o DPkg::Lock::Timeout=120 update
apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$@"

[ -d /run/systemd/system ] || exit 0
for service in rabbitmq-server apache2; do
	case " $* " in *" $service "*) systemctl disable --now $service.service ;; esac
done
