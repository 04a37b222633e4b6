#!/usr/bin/env bash
# use_packages.sh PACKAGE...: in mount and network namespaces of its own, which packages.py makes.
# The root is this host's, and what is written to it goes to memory.

set -euo pipefail

die() { printf 'use_packages: %s\n' "$*" >&2; exit 1; }

# expect WHAT EXPECTED COMMAND...
expect() {
  local what=$1 expected=$2 got
  shift 2
  got=$("$@") || die "$what: exit status $?: $got"
  [[ $got == $expected ]] || die "$what: expected '$expected', got '$got'"
  printf '%s: as expected\n' "$what"
}

inside() { chroot "$root" "$@"; }

mount -t tmpfs none /mnt
mkdir /mnt/{upper,work,root}
root=/mnt/root
mount -t overlay none -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work "$root"
for memory in run tmp; do mount -t tmpfs none "$root/$memory"; done
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs none "$root/sys"
cp "$@" "$root/tmp"

[[ ! -e $root/usr/sbin/srcsel ]] || die "srcsel is installed on this host: nothing would be shown"
inside sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --install /tmp/*.deb' >"$root/tmp/log" 2>&1 ||
  die "dpkg: $(cat "$root/tmp/log")"

ip link set lo up
ip link add eth0 type veth peer name wire
ip address add 10.9.0.1/24 dev eth0
ip address add 10.9.0.2/24 dev eth0
ip link set eth0 up
ip link set wire up
ip route add default via 10.9.0.254

expect "srcsel --version" 'srcsel *.*.*' inside srcsel --version

expect "the policy that is installed" '*: has no \[\[rule]]*0 rules, 0 errors, 1 warning' \
  inside srcsel check /etc/srcsel/srcsel.toml
printf '[[rule]]\nsource = "10.9.0.2"\n' >"$root/etc/srcsel/conf.d/all.toml"
expect "srcsel check" '*1 rule, 0 errors, *' inside srcsel check /etc/srcsel/srcsel.toml

cat >"$root/tmp/source.py" <<'PYTHON'
import socket
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.connect(("192.0.2.80", 80))
print(asked.getsockname()[0])
PYTHON
expect "without the preload" 10.9.0.1 inside python3 /tmp/source.py
expect "LD_PRELOAD" 10.9.0.2 inside env LD_PRELOAD=libsrcsel-preload.so SRCSEL_SOURCE=10.9.0.2 \
  python3 /tmp/source.py
expect "srcsel run --via preload" 10.9.0.2 inside srcsel run -q --via preload \
  --policy /etc/srcsel/srcsel.toml -- python3 /tmp/source.py

cat >"$root/tmp/version.c" <<'C'
#include <srcsel/srcsel.h>
int main(void) { return srcsel_version() != SRCSEL_VERSION; }
C
inside sh -c 'cd /tmp && gcc-12 $CFLAGS -o version version.c $(pkg-config --cflags --libs srcsel)'
expect "libsrcsel, by pkg-config" '' inside /tmp/version

# Its hooks are tried in a cgroup below this one. What is mounted is this namespace's own.
mkdir -p "$root/sys/fs/cgroup"
mount -t cgroup2 none "$root/sys/fs/cgroup"
mount -t bpf none "$root/sys/fs/bpf"
told=$(inside srcsel doctor --json) || (($? == 1)) || die "srcsel doctor: $told"
expect "srcsel doctor: hooks" '8 tried, []' inside python3 -c '
import json, sys
probes = json.loads(sys.argv[1])["probes"]
print(len(probes), "tried,", [probe for probe in probes if probe["trouble"]])
' "$told"
expect "its page" '*### hooks*' inside cat /usr/share/doc/srcsel/troubleshooting.md
expect "the schema of what it printed" '' inside /usr/bin/python3 -c '
import json, sys, jsonschema
schema = json.load(open("/usr/share/srcsel/schema/doctor.json"))
jsonschema.Draft202012Validator(schema).validate(json.loads(sys.argv[1]))
' "$told"

expect "completion" '*status*' inside bash -c \
  'source /usr/share/bash-completion/completions/srcsel; COMP_WORDS=(srcsel st) COMP_CWORD=1 _srcsel
   echo "${COMPREPLY[@]}"'
for page in srcsel.8 srcsel.toml.5 libsrcsel.3 srcsel-preload.7; do
  expect "$page" "*/man?/$page.gz" inside man --where "${page##*.}" "${page%.*}"
done

rm "$root/etc/srcsel/conf.d/all.toml"
inside dpkg --purge srcsel srcsel-preload libsrcsel-dev libsrcsel0 >"$root/tmp/log" 2>&1 ||
  die "dpkg --purge: $(cat "$root/tmp/log")"
left=$(cd /mnt/upper && find . -name '*srcsel*' -type f ! -path './var/*')
[[ ! $left ]] || die "left behind: $left"
printf 'purged: nothing is left\n'
