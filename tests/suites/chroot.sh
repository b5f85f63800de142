#!/usr/bin/env bash
# Debians of their own, in target/NAME-root, for suites whose tools the machine's own system does not have:
#
#     tests/suites/chroot.sh NAME install             makes one: 3.4 GB, about two minutes
#     tests/suites/chroot.sh NAME enter COMMAND...    runs a command in it, in the repository, with no network client set up
#
# NAME is `arm` (compilers for ARM and an emulator) or `swift` (a Swift compiler). As root, or by a user for whom `sudo -n` works. Mounts are
# made in a mount namespace that ends with the command, no matter what becomes of it. The mirror is the one that the machine's own apt uses,
# or DEBIAN_MIRROR. Nothing is left outside target/.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
  exec sudo -n env DEBIAN_MIRROR="${DEBIAN_MIRROR:-}" "${BASH_SOURCE[0]}" "$@"
fi

name=${1:-} verb=${2:-}
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
root=$repository/target/$name-root
case $name in
  arm)
    # Debian's next release: the first whose rustc is as new as the `rust-version` in Cargo.toml.
    release=(forky /usr/share/debootstrap/scripts/sid)
    architectures=(arm64 armhf)
    packages=(
      rustc cargo gcc libc6-dev lld qemu-user
      libstd-rust-dev:arm64 gcc-aarch64-linux-gnu libc6-dev:arm64
      libstd-rust-dev:armhf gcc-arm-linux-gnueabihf libc6-dev:armhf
    )
    ;;
  swift)
    # The first release of Debian with Swift 6.
    release=(trixie /usr/share/debootstrap/scripts/sid)
    architectures=()
    # openssl and python3 for the receiver of the transport's tests.
    packages=(swiftlang libc6-dev libstdc++-14-dev libgcc-14-dev binutils ca-certificates git openssl python3-minimal libpython3-stdlib)
    ;;
  *) verb='' ;;
esac

say() { printf 'chroot.sh: %s\n' "$1" >&2; }

mirror() {
  local sources
  for sources in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [ -r "$sources" ] || continue
    # Either style of apt: a line `URIs: …` or `deb [options] … suite`.
    sed -nE 's/^(URIs:|deb( +\[[^]]*\])?)[[:space:]]+([^[:space:]]+).*/\3/p' "$sources" | head -n 1
  done | head -n 1
}

install() {
  local from=${DEBIAN_MIRROR:-$(mirror)} architecture
  [ -n "$from" ] || { say 'no mirror found in /etc/apt: set DEBIAN_MIRROR'; return 1; }
  # What an earlier attempt left unfinished is not trusted.
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase "${release[0]}" "$root" "$from" "${release[1]}"
  # It can be made again: no package needs to be on the disk before the next one is begun.
  printf 'force-unsafe-io\n' >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  # Proxies and the like, but not which indexes are fetched: catalogues of desktop programs are large.
  apt-config dump Acquire | grep -v '^Acquire::IndexTargets' >"$root/etc/apt/apt.conf.d/90host"
  # An image may be older than its mirror's dates allow.
  printf 'Acquire::Check-Valid-Until "false";\n' >"$root/etc/apt/apt.conf.d/91dates"
  if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
    mkdir -p "$root/etc/ssl/certs"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  for architecture in "${architectures[@]}"; do inside dpkg --add-architecture "$architecture"; done
  inside apt-get update -qq
  inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
  # Its presence says that all of the above has succeeded.
  printf '#!/bin/sh\nexit 0\n' >"$root/ready"
  chmod 755 "$root/ready"
}

inside() {
  [ -d "$root/usr/bin" ] || { say "there is none yet: $0 $name install"; return 1; }
  # shellcheck disable=SC2016
  unshare --mount --propagation private bash -euc '
    root=$1 repository=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mkdir -p "$root/repository"
    mount --bind "$repository" "$root/repository"
    # The caller must not find its variables in there: paths of another system. Tests may mount: nobody else sees it.
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" RUST_BACKTRACE=1 COMPASS_OWN_MOUNTS=1 \
      chroot "$root" sh -c "cd /repository && exec \"\$@\"" sh "$@"
  ' bash "$root" "$repository" "$@"
}

case $verb in
  install) install ;;
  enter)
    shift 2
    inside "$@"
    ;;
  *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
