#![allow(clippy::unwrap_used, reason = "a bench may panic")]
mod bare;
mod counts;
mod gestures;
mod phone;

use gestures::{GESTURES, Side};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == counts::DO) {
        counts::do_one(&arguments[place + 1..]);
    }
    if let Some(place) = arguments.iter().position(|a| a == "--rows") {
        let g = gestures::gesture(&arguments[place + 1]);
        let folder = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for side in [Side::Core, Side::Bare] {
            let f = folder.path().join(if side == Side::Core { "core" } else { "bare" });
            std::fs::create_dir(&f).unwrap();
            let mut work = (g.prepare)(&f, 12, side);
            work(12);
            drop(work);
            let p = f.join("compass.db");
            all.push(
                bare::rows_of(&p)
                    .into_iter()
                    .map(|(t, n)| {
                        let b = bare::bytes_of(&p, &t);
                        (t, n, b)
                    })
                    .collect::<Vec<_>>(),
            );
        }
        for (c, b) in all[0].iter().zip(&all[1]) {
            if c.1 != b.1 || c.2 != b.2 {
                println!("{c:?} {b:?}");
            }
        }
        return;
    }
    for gesture in &GESTURES {
        let core = counts::instructions(gesture, Side::Core);
        let bare = gesture.has_bare.then(|| counts::instructions(gesture, Side::Bare)).flatten();
        let (wc, wb) = (counts::writes(gesture, Side::Core), gesture.has_bare.then(|| counts::writes(gesture, Side::Bare)).flatten());
        println!(
            "{:<12} core {:>10.0} bare {:>10.0} ratio {:.2}  {wc:?} {wb:?}",
            gesture.name,
            core.unwrap_or(0.),
            bare.unwrap_or(0.),
            core.unwrap_or(0.) / bare.unwrap_or(f64::NAN)
        );
    }
}
