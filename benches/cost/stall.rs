//! The longest waits: 30,000 values one after the other, of which some also write the WAL back to the database.

use std::path::Path;
use std::time::Instant;

use super::phone::Phone;

/// The argument that asks for it.
pub(crate) const STALL: &str = "--stall";

const VALUES: usize = 30_000;

/// Sets so many values on real flash, and prints the times and the largest size of the WAL.
pub(crate) fn stall(folder: &Path) {
    let path = folder.join("stall.db");
    let phone = Phone::open(&path);
    let key = phone.start("rounds").key;
    let wal = folder.join("stall.db-wal");
    let mut largest = 0;
    let mut times: Vec<f64> = (0..VALUES)
        .map(|number| {
            let text = format!("17.5 bar at valve {}", number % 10);
            let began = Instant::now();
            phone.set(key, "reading", &text);
            let time = began.elapsed().as_secs_f64() * 1e6;
            largest = largest.max(std::fs::metadata(&wal).map_or(0, |wal| wal.len()));
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((VALUES - 1) as f64 * share) as usize];
    println!("{VALUES} values: p50 {:.0} us, p99 {:.0}, p99.9 {:.0}, longest {:.0}", at(0.5), at(0.99), at(0.999), at(1.0));
    println!("p99.9 is {:.1} times p50 (goal: 8); the WAL had at most {:.2} MB (goal: 2)", at(0.999) / at(0.5), largest as f64 / 1e6);
}
