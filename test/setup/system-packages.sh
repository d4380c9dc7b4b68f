#!/bin/sh
# What the tests need from the system, as Debian packages: a real Redis, a real Laravel, a real browser,
# real proxies.
# Installs only what is missing; says exactly what to install where it may not.
set -eu

packages='redis-server php-cli php-laravel-framework php-redis php-predis php-sqlite3 chromium nginx haproxy caddy openssl'

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=''
for package in $packages; do
  installed "$package" 2>/dev/null || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

refuse() {
  echo "The tests need these Debian packages:$missing" >&2
  echo "$1 Please install them:" >&2
  echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
  exit 1
}

command -v apt-get >/dev/null || refuse 'There is no apt-get here.'
if [ "$(id -u)" = 0 ]; then
  as_root=''
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root='sudo -n'
else
  refuse 'This user may not install packages.'
fi

# Debian starts a service when its package is installed. The tests start their own Redis, so nothing may take its
# place or go on running after them: 101 forbids every start. A policy that is already there is left alone.
policy=/usr/sbin/policy-rc.d
own_policy=''
remove_policy() {
  [ -z "$own_policy" ] || $as_root rm -f "$policy"
  own_policy=''
}
trap remove_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
  own_policy=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod 755 "$policy"
fi

echo "Installing what the tests need, about a minute:$missing"
apt="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
# Stale lists name files that are gone; where they cannot be renewed (offline, a local mirror) they may still do.
$apt update </dev/null || echo 'apt-get update failed; going on with the lists that are here.' >&2
# shellcheck disable=SC2086 # words on purpose
$apt install -y --no-install-recommends $missing </dev/null || refuse 'Installing them failed.'
