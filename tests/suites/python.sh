# The shared library as a stranger sees it: bindings generated for Python drive whole sessions through it.
# shellcheck shell=bash

suite_python_needs() {
  PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  need python3 'apt-get install python3' install_python
  need cc 'apt-get install gcc libc6-dev (macOS: xcode-select --install)' install_cc_for_python
  need cargo "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" install_rust_for_python
}

install_python() { apt_install python3; }
install_cc_for_python() { apt_install gcc libc6-dev; }
install_rust_for_python() {
  command -v curl >/dev/null || apt_install curl ca-certificates || return
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal
}

suite_python() {
  check 'Bindings for Python' uniffi/generate python "$work_dir/python/compass" || return
  python_tests
}

# A hang is a failure: nothing of this suite takes long.
python_tests() {
  local title='Tests: Python' log="$work_dir/python.log" status=0 ran=0 bad=0 ignored=0
  heading "$title"
  PYTHONPATH="$work_dir/python" PYTHONDONTWRITEBYTECODE=1 \
    timeout 300 python3 -m unittest discover -v -s tests/python 2>&1 | tee "$log" || status=1
  ran=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} in .*/\1/p' "$log")
  bad=$(sed -n 's/^FAILED (\(.*\))$/\1/p' "$log" | grep -oE '(failures|errors)=[0-9]+' | cut -d= -f2 | paste -sd+ - | sed 's/^$/0/')
  bad=$((${bad:-0}))
  ignored=$(sed -n 's/^\(OK\|FAILED\) (.*skipped=\([0-9]*\).*/\2/p' "$log")
  ran=${ran:-0} ignored=${ignored:-0}
  if [ $((ran - bad - ignored)) -gt 0 ]; then pass "$((ran - bad - ignored)) tests" $((ran - bad - ignored)); fi
  if [ "$ignored" -gt 0 ]; then skip "$ignored tests that are skipped" "$ignored"; fi
  if [ "$bad" -gt 0 ]; then fail "$title: $bad tests" "$bad"
  elif [ "$status" -ne 0 ]; then fail "$title: stopped before all tests had run"
  elif [ "$ran" -eq 0 ]; then fail "$title: no test was run"; status=1
  fi
  return "$status"
}
