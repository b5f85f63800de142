# The shared library as a stranger sees it: bindings generated for Python drive whole sessions through it.
# shellcheck shell=bash

suite_python_needs() {
  need_rust
  need python3 'apt-get install python3' install_python
}

install_python() { apt_install python3; }

suite_python() {
  check 'Bindings for Python' uniffi/generate python "$work_dir/python/compass" || return
  python_tests
}

# Versions of SQLite that know the schema and write it down otherwise, each in a folder of its own. Without them their test is skipped.
older_sqlite() {
  local version folders=''
  for version in 3.44.2.0 3.49.2.0; do
    if python3 -m pip install --quiet --disable-pip-version-check --target "$work_dir/apsw-$version" "apsw==$version" >/dev/null 2>&1; then
      folders+="${folders:+:}$work_dir/apsw-$version"
    fi
  done
  printf '%s' "$folders"
}

# A hang is a failure: nothing of this suite takes long.
python_tests() {
  local title='Tests: Python' log status=0 ran=0 bad=0 ignored=0
  log=$(log_of "$title")
  quietly "$log" env OLDER_SQLITE="$(older_sqlite)" PYTHONPATH="$work_dir/python" PYTHONDONTWRITEBYTECODE=1 \
    timeout 300 python3 -m unittest discover -v -s tests/python || status=1
  ran=$(sed -n 's/^Ran \([0-9]*\) tests\{0,1\} in .*/\1/p' "$log")
  bad=$(sed -n 's/^FAILED (\(.*\))$/\1/p' "$log" | grep -oE '(failures|errors)=[0-9]+' | cut -d= -f2 | paste -sd+ - | sed 's/^$/0/')
  bad=$((${bad:-0}))
  ignored=$(sed -n 's/^\(OK\|FAILED\) (.*skipped=\([0-9]*\).*/\2/p' "$log")
  ran=${ran:-0} ignored=${ignored:-0}
  counted "$title" "$status" $((ran - bad - ignored)) "$bad" "$ignored"
}
