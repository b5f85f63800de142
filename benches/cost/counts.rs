//! What a repetition costs in instructions and writes. Counted by `valgrind` and `strace` in a process of its own, which is this program again:
//! the difference between few and many repetitions, so that the start of the program does not count.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::gestures::{Gesture, Side, gesture};

/// The argument that makes this program do one gesture: name, side, prepared, done, folder.
pub(crate) const DO: &str = "--do";

/// How many times of a gesture are prepared, and after how many those that count begin.
const PREPARED: usize = 24;
const BEFORE: usize = 4;

/// What one repetition writes.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Writes {
    /// Pages written to the WAL.
    pub(crate) pages: f64,
    /// fsyncs without those of checkpoints.
    pub(crate) syncs: f64,
}

/// What the process of `--do` does.
pub(crate) fn do_one(arguments: &[String]) {
    let [name, side, prepared, done, folder] = arguments else { panic!("{DO} NAME SIDE PREPARED DONE FOLDER") };
    let side = if side == "core" { Side::Core } else { Side::Bare };
    let mut work = (gesture(name).prepare)(Path::new(folder), prepared.parse().unwrap(), side);
    work(done.parse().unwrap());
    // Without closing the database: that is not measured.
    std::process::exit(0);
}

fn run(program: &str, options: &[&str], arguments: &[&str]) {
    let output = Command::new(program).args(options).arg(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} of {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What this program is told for one gesture.
fn arguments(gesture: &Gesture, side: Side, done: usize, folder: &Path) -> [String; 6] {
    let side = if side == Side::Core { "core" } else { "bare" };
    [DO, gesture.name, side, &PREPARED.to_string(), &done.to_string(), folder.to_str().unwrap()].map(str::to_owned)
}

/// The difference that so many repetitions make, for one of what is counted.
fn slope(gesture: &Gesture, mut count: impl FnMut(usize) -> f64) -> f64 {
    // A flush sends all or nothing.
    let before = if gesture.name == "drain" { 0 } else { BEFORE };
    (count(PREPARED) - count(before)) / ((PREPARED - before) * gesture.per) as f64
}

/// None where there is no valgrind.
pub(crate) fn instructions(gesture: &Gesture, side: Side) -> Option<f64> {
    has("valgrind").then(|| {
        slope(gesture, |done| {
            let folder = tempfile::tempdir().unwrap();
            let arguments = arguments(gesture, side, done, folder.path());
            counted(&arguments.each_ref().map(String::as_str)).expect("valgrind is there")
        })
    })
}

/// The instructions of this program with these arguments; none where there is no valgrind.
pub(crate) fn counted(arguments: &[&str]) -> Option<f64> {
    has("valgrind").then(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("callgrind.out");
        let file = format!("--callgrind-out-file={}", out.display());
        run("valgrind", &["--tool=callgrind", &file], arguments);
        let text = std::fs::read_to_string(out).unwrap();
        let counted = text.lines().find_map(|line| line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: ")));
        counted.and_then(|counted| counted.trim().parse().ok()).expect("callgrind counts instructions")
    })
}

/// None where there is no strace.
pub(crate) fn writes(gesture: &Gesture, side: Side) -> Option<Writes> {
    let trace = |done: usize| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("trace");
        let options = ["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,pwrite64", "-s", "0", "-o", out.to_str().unwrap()];
        run("strace", &options, &arguments(gesture, side, done, folder.path()).each_ref().map(String::as_str));
        count(&out)
    };
    has("strace").then(|| Writes { pages: slope(gesture, |done| trace(done).pages), syncs: slope(gesture, |done| trace(done).syncs) })
}

fn count(trace: &PathBuf) -> Writes {
    let (mut pages, mut syncs, mut checkpoints) = (0, 0, 0);
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        let is_sync = line.contains("fsync(") || line.contains("fdatasync(");
        match (is_sync, line.contains("-wal>")) {
            (true, true) => syncs += 1,
            (true, false) if line.contains(".db>") => checkpoints += 1,
            // The page of a frame, after its head.
            (false, true) if line.contains(", 4096, ") => pages += 1,
            _ => {}
        }
    }
    Writes { pages: f64::from(pages), syncs: f64::from((syncs - 2 * checkpoints).max(0)) }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status().is_ok()
}
