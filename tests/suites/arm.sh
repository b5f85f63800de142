# The core on a phone's processors: its tests, built for arm64 and for 32-bit ARM, run under user-mode emulation on Linux. What differs from
# the suite rust is the width of a word, the alignment, the signedness of `char` in C, and the compiler; not the system around it.
# shellcheck shell=bash

# Files of tests that do not run here, and why; all others do. What they test does not depend on the processor, and the suite rust runs them.
arm_left_out=(
  'architecture       reads the sources'
  'crash              kills processes of its own, and a started binary would not find its way to the emulator'
  'economy            counts system calls, and the emulator makes some of its own'
  'processes          starts and kills processes'
  'transport_threads  counts threads, and the emulator has some of its own'
)
# The same for single tests of the other files, by a part of their names.
arm_left_out_tests=(
  'a_file_without_the_right_to_write_it_is_refused      starts a process as another user'
  'a_full_disk_refuses_and_loses_nothing                starts a process in a namespace'
  'a_lease_dies_by_itself_after_a_crash                 kills a process'
  'a_lease_of_a_clock_that_was_wrong_dies_too           kills a process'
  'a_proxy_of_the_environment_is_not_used               starts a process'
  'quiescing_leaves_no_file_lock_and_no_descriptor      starts a process that looks at the locks'
  'there_are_no_threads_but_those_that_were_asked_for   starts a process, and counts its threads'
)

suite_arm_needs() {
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    missing+=(root)
    hints+=('mounts need root, or sudo that does not ask: sudo -v')
  fi
  need unshare 'apt-get install util-linux' install_unshare
  have "$arm_root_ready" || need debootstrap 'apt-get install debootstrap' install_debootstrap
  need "$arm_root_ready" 'tests/suites/arm_chroot.sh install (on Debian and its kin; 3.4 GB, all of it in target/)' install_arm_root
  # It fetches the sources of the dependencies: on a machine where fetching takes settings, it has them.
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  need cargo 'see the suite rust' install_cargo_for_arm
}

arm_root_ready=target/arm-root/ready
install_unshare() { apt_install util-linux; }
install_debootstrap() { apt_install debootstrap; }
install_arm_root() { tests/suites/arm_chroot.sh install; }
install_cargo_for_arm() {
  # shellcheck source=tests/suites/rust.sh
  . tests/suites/rust.sh
  install_rust
}

suite_arm() {
  check 'Sources of the dependencies: cargo vendor' arm_sources || return
  arm_tests arm64 aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64 || true
  arm_tests armv7 armv7-unknown-linux-gnueabihf arm-linux-gnueabihf qemu-arm || true
}

# For a cargo that fetches nothing. Of the dependencies only what computes is optimised, since building takes longer here than running.
arm_sources() {
  mkdir -p target/arm
  cat >target/arm/config.toml <<'TOML'
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "/repository/target/arm/vendor"

[profile.dev]
debug = false
[profile.dev.package."*"]
opt-level = 0
[profile.dev.package.libsqlite3-sys]
opt-level = 1
[profile.dev.package.ring]
opt-level = 1
TOML
  cargo vendor --locked --quiet --respect-source-config --versioned-dirs target/arm/vendor >/dev/null
}

# arm_tests NAME TARGET TOOLS EMULATOR: builds the tests for a target, and runs them.
arm_tests() {
  local name=$1 target=$2 tools=$3 emulator=$4 entry file title
  local -A left_out=()
  for entry in "${arm_left_out[@]}"; do left_out[${entry%% *}]=1; done
  local chosen=(--lib) skips=()
  for file in tests/*.rs tests/*/main.rs; do
    [ -e "$file" ] || continue
    file=${file#tests/} file=${file%/main.rs} file=${file%.rs}
    [ -n "${left_out[$file]:-}" ] || chosen+=(--test "$file")
  done
  for entry in "${arm_left_out_tests[@]}"; do skips+=(--skip "${entry%% *}"); done
  local variable=${target//-/_}
  title="Tests on $name, emulated"
  cargo_tests "$title" tests/suites/arm_chroot.sh enter env \
    "CC_$variable=$tools-gcc" \
    "CARGO_TARGET_${variable^^}_LINKER=$tools-gcc" \
    "CARGO_TARGET_${variable^^}_RUNNER=$emulator -L /usr/$tools" \
    cargo --config target/arm/config.toml test --offline --locked --no-fail-fast \
    --target-dir target/arm --target "$target" "${chosen[@]}" -- "${skips[@]}"
}
