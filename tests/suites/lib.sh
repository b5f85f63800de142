# What the suites are written with: headings, checks, counts, tools. Sourced by tests/run.
# shellcheck shell=bash

passed=0 failed=0 skipped=0
failures=() suite_lines=()
work_dir=$(mktemp -d)
trap 'rm -rf "$work_dir"' EXIT
# What tools say goes here, one file per check, and is shown when the check fails.
logs=target/logs
mkdir -p "$logs"
# Where a check says something of its own.
exec 3>&1

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' yellow=$'\e[33m' plain=$'\e[0m'
else
  bold='' green='' red='' yellow='' plain=''
fi

# Whether what is missing is installed, and a suite that cannot run is a failure.
installs() { [ "${install:-}" = true ]; }

heading() { printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"; }

# began: what `pass` and `fail` measure from. It moves on with each of them.
began=$SECONDS
took() { printf '%s s' $((SECONDS - began)); }

pass() { passed=$((passed + ${2:-1})); printf '%sok%s       %s (%s)\n' "$green" "$plain" "$1" "$(took)"; began=$SECONDS; }
skip() { skipped=$((skipped + ${2:-1})); printf '%sskipped%s  %s\n' "$yellow" "$plain" "$1"; }
fail() {
  failed=$((failed + ${2:-1}))
  failures+=("$1")
  printf '%sFAILED%s   %s (%s)\n' "$red" "$plain" "$1" "$(took)"
  began=$SECONDS
}

# log_of TITLE: the file for what the tools of this check say.
log_of() { printf '%s/%s.log' "$logs" "$(printf '%s' "${suite:+$suite-}$1" | tr -cs 'A-Za-z0-9\n' '-' | cut -c1-80)"; }

# quietly LOG COMMAND...: what it says goes to the file LOG, of which the end is shown if the command fails.
quietly() {
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    printf -- '---- the end of %s\n' "$log"
    tail -n 400 "$log"
    printf -- '----\n'
  fi
  return "$status"
}

# check TITLE COMMAND...: one check, passed if the command succeeds.
check() {
  local title=$1
  shift
  if quietly "$(log_of "$title")" "$@"; then pass "$title"; else fail "$title"; return 1; fi
}

# cargo_tests TITLE COMMAND...: counts the tests that cargo reports. A run that fails without a failed test (it does not compile, or a test
# binary dies) counts as one failure.
cargo_tests() {
  local title=$1 log status=0
  shift
  log=$(log_of "$title")
  quietly "$log" "$@" || status=1
  local ok=0 bad=0 ignored=0 line
  # What a test runs as a process of its own is a part of that test, not one that was left out.
  local part='\.\.\. ignored, runs in (a process|processes) of its own'
  local pattern='^test result: (ok|FAILED)\. ([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored;'
  while IFS= read -r line; do
    if [[ $line =~ $pattern ]]; then
      ok=$((ok + BASH_REMATCH[2])) bad=$((bad + BASH_REMATCH[3])) ignored=$((ignored + BASH_REMATCH[4]))
    elif [[ $line =~ $part ]]; then
      ignored=$((ignored - 1))
    fi
  done <"$log"
  if [ "$ok" -gt 0 ]; then pass "$title: $ok tests" "$ok"; fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are ignored" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then
    fail "$title: $bad tests" "$bad"
    # Their names again, so that nobody has to scroll for them.
    sed -n 's/^test \(.*\) \.\.\. FAILED$/         \1/p' "$log"
  elif [ "$status" -ne 0 ]; then
    fail "$title: stopped before all tests had run"
  elif [ "$ok" -eq 0 ]; then
    fail "$title: no test was run"
    status=1
  fi
  return "$status"
}

# surefire_counts TITLE STATUS FOLDER...: counts the tests that surefire has reported. STATUS is Maven's.
surefire_counts() {
  local title=$1 status=$2 report reports=() ran=0 bad=0 ignored=0
  shift 2
  for report in "$@"; do reports+=("$report"/TEST-*.xml); done
  for report in "${reports[@]}"; do
    [ -e "$report" ] || continue
    ran=$((ran + $(surefire_number tests "$report")))
    bad=$((bad + $(surefire_number errors "$report") + $(surefire_number failures "$report")))
    ignored=$((ignored + $(surefire_number skipped "$report")))
  done
  counted "$title" "$status" $((ran - bad - ignored)) "$bad" "$ignored"
}

# counted TITLE STATUS PASSED FAILED SKIPPED: what a run of tests came to. STATUS is that of the tool that ran them.
counted() {
  local title=$1 status=$2 ok=$3 bad=$4 ignored=$5
  if [ "$ok" -gt 0 ]; then pass "$title: $ok tests" "$ok"; fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are skipped" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then fail "$title: $bad tests" "$bad"
  elif [ "$status" -ne 0 ]; then fail "$title: stopped before all tests had run"
  elif [ $((ok + ignored)) -eq 0 ]; then fail "$title: no test was run"; status=1
  fi
  return "$status"
}

# surefire_number NAME REPORT: a number of the one <testsuite> of a report.
surefire_number() { grep -a -m1 '<testsuite ' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p"; }

# need TOOL HINT INSTALLER: a tool of the suite. Missing with --install: the function INSTALLER is run. Missing without: HINT is shown.
need() {
  local tool=$1 hint=$2 installer=$3 since=$SECONDS
  if have "$tool"; then return; fi
  if installs; then
    quietly "$(log_of "install $tool")" one_at_a_time "install-${tool//[^a-zA-Z0-9]/-}" install_unless_there "$tool" "$installer" || true
    hash -r
    if have "$tool"; then
      printf 'installed %s (%s s)\n' "$tool" $((SECONDS - since))
      return
    fi
  fi
  missing+=("$tool")
  hints+=("$tool is missing; this installs it: $hint")
}

# Another suite may have installed it meanwhile.
install_unless_there() { hash -r; have "$1" || "$2"; }

# one_at_a_time NAME COMMAND...: suites are prepared side by side, and some things bear only one hand.
one_at_a_time() {
  local lock=$work_dir/$1.lock
  shift
  (
    if command -v flock >/dev/null; then flock 9; fi
    "$@"
  ) 9>"$lock"
}

# have TOOL: a command, or `cargo SUBCOMMAND` that answers.
have() {
  # shellcheck disable=SC2086
  case $1 in
    'cargo '*) command -v cargo >/dev/null && $1 --version >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# As root, or through sudo.
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_install() { one_at_a_time apt apt_install_now "$@"; }
apt_install_now() {
  as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# What building the core takes.
need_rust() {
  # rustup puts cargo here; a shell that was open before does not know yet.
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  need cc 'apt-get install gcc libc6-dev (macOS: xcode-select --install)' install_cc
  need cargo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" install_rust
}

install_cc() { apt_install gcc libc6-dev; }
install_rust() {
  command -v curl >/dev/null || apt_install curl ca-certificates || return
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal --component rustfmt,clippy
}

# What building for a JVM takes.
need_maven() {
  need javac 'apt-get install openjdk-17-jdk-headless (or any JDK from 17 on)' install_jdk
  need mvn 'apt-get install maven (3.8 or newer)' install_maven
}

install_jdk() { apt_install openjdk-17-jdk-headless; }
install_maven() { apt_install maven; }

# need_chroot NAME: one of the Debians that chroot.sh makes.
need_chroot() {
  local ready=target/$1-root/ready
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    missing+=(root)
    hints+=('mounts need root, or sudo that does not ask: sudo -v')
  fi
  need unshare 'apt-get install util-linux' install_unshare
  have "$ready" || need debootstrap 'apt-get install debootstrap' install_debootstrap
  need "$ready" "tests/suites/chroot.sh $1 install (on Debian and its kin; 3.4 GB, all of it in target/)" "install_chroot_$1"
}

install_unshare() { apt_install util-linux; }
install_debootstrap() { apt_install debootstrap; }
install_chroot_arm() { tests/suites/chroot.sh arm install; }
install_chroot_swift() { tests/suites/chroot.sh swift install; }

# What building the Swift packages takes: a Swift of one's own, or one in a folder of its own, for Debian 12 has none.
need_swift() {
  need_rust
  have swift || need_chroot swift
}

# Where Swift is.
in_swift() { if have swift; then "$@"; else tests/suites/chroot.sh swift enter "$@"; fi; }

# swift_tool SECONDS PACKAGE VERB ARGUMENTS...: swift on a package, built in target/PACKAGE. A hang is a failure.
swift_tool() {
  local limit=$1 package=$2 verb=$3
  shift 3
  # Debian's libswiftObservation has an undefined symbol, which nothing of ours uses.
  in_swift timeout "$limit" env COMPASS_STRICT=1 swift "$verb" --package-path "$package" --scratch-path "target/$package" \
    --disable-sandbox -Xlinker --allow-shlib-undefined "$@"
}

# swift_tests TITLE PACKAGE: counts the tests that XCTest reports.
swift_tests() {
  local title=$1 package=$2 log status=0 ok bad ignored
  log=$(log_of "$title")
  quietly "$log" swift_tool 900 "$package" test --disable-swift-testing || status=1
  ok=$(grep -cE "^Test Case '.*' passed" "$log") || true
  bad=$(grep -cE "^Test Case '.*' failed" "$log") || true
  ignored=$(grep -cE "^Test Case '.*' skipped" "$log") || true
  counted "$title" "$status" "$ok" "$bad" "$ignored"
}

# prepare_suite NAME: with --install, installs what a suite needs in the background. What fails here is tried again, and told, by run_suite.
declare -A preparing
prepare_suite() {
  installs || return 0
  (
    missing=() hints=() suite=$1
    "suite_$1_needs"
  ) >"$work_dir/prepare-$1.log" 2>&1 &
  preparing[$1]=$!
}

run_suite() {
  local name=$1 line was_passed=$passed was_failed=$failed was_skipped=$skipped since=$SECONDS
  missing=() hints=() suite=$name
  heading "$name"
  if [ -n "${preparing[$name]:-}" ]; then
    wait "${preparing[$name]}" || true
    cat "$work_dir/prepare-$name.log"
    hash -r
  fi
  "suite_${name}_needs"
  if [ ${#missing[@]} -gt 0 ]; then
    printf '%s\n' "${hints[@]}"
    if installs; then fail "suite $name"; else skip "suite $name"; fi
    suite_lines+=("$name: did not run, for want of: ${missing[*]}")
    return
  fi
  # A suite goes on after a failed check: what it stops for, it decides by itself.
  began=$SECONDS
  "suite_$name" || true
  line="$((passed - was_passed)) passed, $((failed - was_failed)) failed, $((skipped - was_skipped)) skipped, $((SECONDS - since)) s"
  suite_lines+=("$name: $line")
}

# The last lines. Exits.
summary() {
  heading Summary
  if [ ${#failures[@]} -gt 0 ]; then printf 'failed: %s\n' "${failures[@]}"; fi
  printf '%s\n' "${suite_lines[@]}"
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" -eq 0 ]
  exit
}
