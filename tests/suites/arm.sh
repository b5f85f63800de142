# The core on a phone's processors: its tests, built for arm64 and for 32-bit ARM, run under user-mode emulation on Linux. What differs from
# the suite rust is the width of a word, the alignment, the signedness of `char` in C, and the compiler; not the system around it.
# shellcheck shell=bash

# Files of tests that do not run here, and why; all others do. What they test does not depend on the processor, and the suite rust runs them.
arm_left_out=(
  'architecture       reads the sources'
  'crash              kills processes of its own, and a started binary would not find its way to the emulator'
  'delivery           orders of events among threads, at an emulator'"'"'s pace'
  'document_limits    counts the memory and the work for thousands of documents, for minutes'
  'costs              counts system calls, and the emulator makes some of its own'
  'failures           what calls do of which a request of memory or of the disk fails, hundreds of times'
  'kills              kills processes of its own, hundreds of times'
  'lifecycle          the same: threads that meet'
  'plans              reads the sources, and what SQLite means to do with their statements'
  'power_cut          what a disk keeps, hundreds of times'
  'processes          starts and kills processes'
  'transport_threads  counts threads, and the emulator has some of its own'
)
# The same for modules of the other files and of the core, by where they stand.
arm_left_out_modules=(
  'src/delivery/tests    orders of events among threads, like the file delivery: three fifths of the time of all unit tests'
  'tests/file/killed.rs  kills processes'
  'tests/simulation/seeded.rs  what the simulation would find, not what the core does: a quarter of the time of all files'
)
# The same, but for `tests/run --full`: a quarter of an hour, and what they need of a processor is tested here by the others too.
arm_full=(
  'file                damages, compares and looks through hundreds of files; the migrations open and check files here'
  'outcomes            a table of answers row by row, and days of attempts by a clock that is set; the unit tests have the rules'
  'simulation          the same core as the scenarios and the sessions, act after act'
)
# The same for single tests, by their names.
arm_left_out_tests=(
  'a_damaged_file_stays_while_another_process_has_it_open  starts a process'
  'a_file_without_the_right_to_write_it_is_refused      starts a process as another user'
  'a_full_disk_refuses_and_loses_nothing                starts a process in a namespace'
  'a_process_that_is_killed_in_the_middle_of_an_update_loses_nothing  kills processes'
  'a_lease_ends_by_itself_after_its_process_crashed      kills a process'
  'a_lease_of_a_clock_that_was_wrong_ends_too           kills a process'
  'a_page_of_the_schema_costs_what_stands_on_it         damages a file in each page of its schema'
  'a_proxy_of_the_environment_is_not_used               starts a process'
  'an_update_that_ends_at_any_statement_is_made_again    opens hundreds of files, one after the other, for two minutes'
  'corrections_keep_the_promises                        twenty seeds more; twenty run here'
  'seeds_that_have_found_a_fault_stay_quiet             dozens of seeds more; twenty run here'
  'the_schema_and_the_core_refuse_the_same_mistakes     compares thousands of documents, for minutes'
  'two_processes_that_open_an_old_file_at_once_update_it_once         starts processes'
  'what_is_made_while_a_copy_is_checked_is_the_file_before            kills a process'
)

# What runs on arm64 besides the unit tests: it has the width of the machine that the suite rust runs on, so what is left is what meets memory,
# SQLite, TLS and the wire in C or assembly.
arm64_files=(formats scenarios migrations transport)
arm64_full_files=(file)
arm64_left_out_modules=(
  'src/engine             the rules of workflows are of Rust alone, a function of what they are given'
  'tests/file/opening.rs  rules of Rust alone'
)

suite_arm_needs() {
  # It fetches the sources of the dependencies: on a machine where fetching takes settings, it has them.
  need_rust
  need_chroot arm
}

suite_arm() {
  local beside=''
  arm_choose || { fail 'What is left out on ARM'; return; }
  check 'Sources of the dependencies: cargo vendor' arm_sources || return
  # Both at once: programs of tests wait, and most end with one test that keeps one processor of the machine busy.
  if arm_build arm64; then
    arm_run arm64 >"$work_dir/arm64.log" 2>&1 &
    beside=$!
  fi
  if arm_build armv7; then cargo_tests 'Tests on armv7, emulated' arm_run armv7 || true; fi
  if [ -n "$beside" ]; then cargo_tests 'Tests on arm64, emulated meanwhile' arm_ended "$beside" || true; fi
}

declare -A arm_targets=([armv7]=armv7-unknown-linux-gnueabihf [arm64]=aarch64-unknown-linux-gnu)
# Many times what they take, with --full too: only a hang lasts as long.
arm_build_seconds=2400 arm_run_seconds=5400

# Fills NAME_chosen and NAME_skips of both, and says what is left out. A name on the lists that no test has is a mistake; the suite rust looks
# for it too, as it needs no emulator.
arm_choose() {
  local entry name file count total=0 lines=() files=("${arm_left_out[@]}") arm64=("${arm64_files[@]}")
  local -A left_out=()
  armv7_chosen=(--lib) armv7_skips=()
  if [ "${full:-false}" = true ]; then arm64+=("${arm64_full_files[@]}"); else files+=("${arm_full[@]}"); fi
  for entry in "${files[@]}"; do
    name=${entry%% *} left_out[$name]=1
    # A file, or a folder of files.
    count=$({ cat "tests/$name.rs" "tests/$name"/*.rs 2>/dev/null || true; } | grep -c '#\[test\]') || { echo "left out on ARM, but not there: tests/$name"; return 1; }
    total=$((total + count)) lines+=("$entry ($count)")
  done
  for entry in "${arm_left_out_modules[@]}"; do
    name=${entry%% *}
    count=$(grep -rc '#\[test\]' "$name" | awk -F: '{ count += $NF } END { print count + 0 }')
    [ "$count" -gt 0 ] || { echo "left out on ARM, but without tests: $name"; return 1; }
    armv7_skips+=(--skip "$(arm_module "$name")")
    total=$((total + count)) lines+=("$entry ($count)")
  done
  for entry in "${arm_left_out_tests[@]}"; do
    name=${entry%% *} armv7_skips+=(--skip "$name")
    grep -rqw "fn $name" src tests || { echo "left out on ARM, but not there: test $name"; return 1; }
    total=$((total + 1)) lines+=("$entry")
  done
  for file in tests/*.rs tests/*/main.rs; do
    [ -e "$file" ] || continue
    file=${file#tests/} file=${file%/main.rs} file=${file%.rs}
    [ -n "${left_out[$file]:-}" ] || armv7_chosen+=(--test "$file")
  done
  arm64_chosen=(--lib) arm64_skips=("${armv7_skips[@]}")
  for entry in "${arm64_left_out_modules[@]}"; do
    name=${entry%% *}
    [ -e "$name" ] || { echo "left out on arm64, but not there: $name"; return 1; }
    arm64_skips+=(--skip "$(arm_module "$name")")
  done
  for file in "${arm64[@]}"; do arm64_chosen+=(--test "$file"); done
  printf 'Left out on ARM: %s tests and the examples in the documentation, which the suite rust runs\n' "$total"
  printf '%s\n' "${lines[@]}"
}

# arm_module PATH: how the names of its tests begin.
arm_module() {
  local name=${1%.rs}
  case $name in src/*) name=${name#src/} ;; *) name=${name#tests/*/} ;; esac
  printf '%s::' "${name//\//::}"
}

# For a cargo that fetches nothing.
arm_sources() {
  mkdir -p target/arm
  cargo vendor --locked --quiet --respect-source-config --versioned-dirs target/arm/vendor >/dev/null
}

# arm_cargo NAME SECONDS ARGUMENTS...: `cargo test` of the chosen files, in the other Debian.
arm_cargo() {
  local -n chosen=$1_chosen
  local target=${arm_targets[$1]} seconds=$2
  shift 2
  tests/suites/chroot.sh arm enter timeout "$seconds" cargo --config tests/suites/arm.toml test \
    --offline --locked --package compass-core --target-dir target/arm --target "$target" "${chosen[@]}" "$@"
}

arm_build() { check "Build for $1: cargo test --no-run" arm_cargo "$1" "$arm_build_seconds" --no-run --quiet; }

arm_run() {
  local -n skips=$1_skips
  arm_cargo "$1" "$arm_run_seconds" --no-fail-fast -- "${skips[@]}"
}

# arm_ended PROCESS: what the run on arm64 has said, when it is over.
arm_ended() {
  local status=0
  wait "$1" || status=$?
  cat "$work_dir/arm64.log"
  return "$status"
}
