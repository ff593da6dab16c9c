#!/bin/sh
# Sets up all that a checkout lacks: Debian packages, the virtual environment, the page styles. What is there already
# is left alone, so that this costs nothing the second time. With the argument `for-tests` also what only tests need: a
# Chromium and an Apache with `mod_auth_openidc`, if they can be had, and npm modules.
#
# Shell, because it runs before there is a Python with packages.
set -eu
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
begun=$(date +%s)
log=${ONEHALL_STATE:-var}/log/setup.log
environment_stamp=.venv/set-up-from
child=

tell() { printf '[%4d s] %s\n' "$(($(date +%s) - begun))" "$1"; }
fail() {
	printf 'error: %s\n' "$1" >&2
	exit 1
}

# step TEXT COMMAND...: tell, run with the output in the log, tell again every 20 s, fail with the command's last words
step() {
	text=$1
	shift
	mkdir -p "$(dirname "$log")"
	tell "$text"
	# a shell's background process ignores Ctrl-C, so it is passed on
	trap 'kill $child 2>/dev/null; exit 130' INT TERM HUP
	"$@" >"$log" 2>&1 </dev/null &
	child=$!
	waited=0
	while kill -0 "$child" 2>/dev/null; do
		sleep 1
		waited=$((waited + 1))
		[ $((waited % 20)) -ne 0 ] || tell "  still at it: $text"
	done
	status=0
	wait "$child" || status=$?
	trap - INT TERM HUP
	[ "$status" -eq 0 ] || printf '%s\n' "$(tail -n 5 "$log")" >&2
	return "$status"
}

has_ensurepip() { "$python" -c 'import ensurepip' 2>/dev/null; }

# The same places as find_program in broker.py
has_broker() {
	[ -n "${AMQP_URI:-}" ] ||
		(PATH="/usr/lib/rabbitmq/bin:$PATH:/opt/homebrew/sbin:/usr/local/sbin:/usr/sbin" command -v rabbitmq-server >/dev/null)
}

has_browser() { [ -x /usr/bin/chromium ]; }

has_apache() { [ -x /usr/sbin/apache2 ] && [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ]; }

can_install() {
	command -v apt-get >/dev/null || return 1
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null || return 1
	if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

install_packages() {
	if [ "$(id -u)" -eq 0 ]; then
		step "installing with apt: $*" sh deploy/local/install-packages.sh "$@"
	else
		step "installing with apt: $*" sudo -n sh deploy/local/install-packages.sh "$@"
	fi
}

require_python() {
	"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null ||
		fail "Python 3.11 or 3.12 is needed and $python is neither; name one: make PYTHON=python3.11 ..."
}

require_packages() {
	[ -x .venv/bin/python ] || has_ensurepip ||
		fail "Python's venv is missing; install it: apt-get install python3-venv"
	has_broker ||
		fail "RabbitMQ is missing; choose one: run as root or with sudo on Debian or Ubuntu (then apt installs it), \
brew install rabbitmq, set AMQP_URI to a broker of yours, or docker compose up"
}

# A virtual environment holds its own path, so one that came with a moved or copied checkout is of no use.
discard_moved_environment() {
	[ -e $environment_stamp ] || return 0
	case "$(cat $environment_stamp)" in "$(pwd) "*) ;; *) rm -rf .venv ;; esac
}

provide_packages() {
	packages=
	[ -x .venv/bin/python ] || has_ensurepip ||
		packages="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	has_broker || packages="$packages rabbitmq-server"
	if [ -n "$packages" ] && can_install; then
		# shellcheck disable=SC2086  # one word a package
		install_packages $packages || fail "apt could not install$packages; read $log"
	fi
}

# The tests that need them say themselves why they are skipped when there are none.
provide_browser() {
	has_browser || ! can_install || install_packages chromium fonts-noto-cjk ||
		tell "no Chromium could be installed; the browser tests will be skipped"
}

provide_apache() {
	has_apache || ! can_install || install_packages apache2 libapache2-mod-auth-openidc ||
		tell "no Apache with mod_auth_openidc could be installed; its tests will be skipped"
}

provide_environment() {
	wanted="$(pwd) $(cat requirements.lock requirements-dev.lock requirements.in pyproject.toml | cksum)"
	[ "$(cat $environment_stamp 2>/dev/null)" != "$wanted" ] || return 0
	.venv/bin/python -m pip --version >/dev/null 2>&1 || {
		rm -rf .venv
		step "making .venv" "$python" -m venv .venv || fail "no virtual environment could be made; read $log"
	}
	rm -f $environment_stamp
	step "installing the locked Python packages (one or two minutes the first time)" \
		.venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
		--require-hashes --no-deps -r requirements.lock -r requirements-dev.lock ||
		fail "the locked Python packages could not be installed; read $log"
	step "installing onehall itself" \
		.venv/bin/python -m pip install --disable-pip-version-check --no-input --no-build-isolation --no-deps --editable . ||
		fail "onehall itself could not be installed; read $log"
	printf '%s' "$wanted" >$environment_stamp
}

provide_styles() {
	[ -e gateway/styles/build.py ] || return 0
	wanted=$(find gateway/styles requirements-dev.lock -name node_modules -prune -o \
		-type f ! -name '*.pyc' -exec cksum {} + | LC_ALL=C sort)
	stamp=.venv/styles-made-from
	[ ! -d gateway/static/build ] || [ "$(cat $stamp 2>/dev/null)" != "$wanted" ] || return 0
	step "compiling the page styles" .venv/bin/python -m gateway.styles.build ||
		fail "the page styles could not be compiled; read $log"
	printf '%s' "$wanted" >$stamp
}

provide_fonts() {
	[ -e gateway/certificates/fonts/build.py ] || return 0
	wanted=$(cksum <gateway/certificates/fonts/package-lock.json)
	stamp=.venv/fonts-made-from
	[ ! -d gateway/certificates/fonts/build ] || [ "$(cat $stamp 2>/dev/null)" != "$wanted" ] || return 0
	step "fetching the fonts that documents embed" .venv/bin/python -m gateway.certificates.fonts.build ||
		fail "the fonts of documents could not be fetched; read $log"
	printf '%s' "$wanted" >$stamp
}

provide_test_modules() {
	wanted=$(cksum <tests/node/package-lock.json)
	stamp=tests/node/node_modules/set-up-from
	[ "$(cat $stamp 2>/dev/null)" != "$wanted" ] || return 0
	step "installing what tests use from npm" .venv/bin/python -m tests.node.install ||
		fail "the tests' npm modules could not be installed; read $log"
	printf '%s' "$wanted" >$stamp
}

require_python
discard_moved_environment
provide_packages
require_packages
[ "${1:-}" != for-tests ] || provide_browser
[ "${1:-}" != for-tests ] || provide_apache
provide_environment
provide_styles
provide_fonts
[ "${1:-}" != for-tests ] || provide_test_modules
[ -z "$child" ] || tell "set up"
