//! The loads of a run as curves.

use std::fmt::Write as _;

use super::world::Load;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;

/// What arrived and what was accepted, second by second, one picture below the other; upwards at most four times the capacity.
pub fn drawn(runs: &[(String, &Load)], capacity: u32) -> String {
    let all = HEIGHT * runs.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {all}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (number, (name, load)) in runs.iter().enumerate() {
        let below = HEIGHT * number as f64;
        let seconds = load.arrived.len().max(1);
        let x = |second: usize| 50.0 + (WIDTH - 70.0) * second as f64 / seconds as f64;
        let y = |count: f64| below + 30.0 + (HEIGHT - 60.0) * (1.0 - (count / f64::from(capacity)).min(4.0) / 4.0);
        let _ = writeln!(svg, "<text x=\"50\" y=\"{:.0}\" font-size=\"14\">{name}: {seconds} s</text>", below + 20.0);
        for times in 0..=4 {
            let at = y(f64::from(times * capacity));
            let _ = writeln!(
                svg,
                "<line x1=\"50\" y1=\"{at:.0}\" x2=\"{:.0}\" y2=\"{at:.0}\" stroke=\"#ccc\"/><text x=\"20\" y=\"{:.0}\">{times} C</text>",
                WIDTH - 20.0,
                at + 4.0
            );
        }
        for (counts, colour) in [(&load.arrived, "#b23a48"), (&load.accepted, "#0b6e4f")] {
            let points: Vec<String> =
                counts.iter().enumerate().map(|(second, count)| format!("{:.1},{:.1}", x(second), y(f64::from(*count)))).collect();
            let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\"/>", points.join(" "));
        }
    }
    svg.push_str("</svg>\n");
    svg
}
