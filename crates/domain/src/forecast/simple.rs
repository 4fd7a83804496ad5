//! Forecasts of series that give no more away than their level.

use super::{Path, optimum::between};

/// The same for ever.
pub(super) fn constant(series: &[f64], horizon: usize) -> Vec<Path> {
    (1..=series.len()).map(|known| Path { known, values: vec![series[0]; horizon] }).collect()
}

/// Its level, by simple exponential smoothing.
pub(super) fn level(series: &[f64], horizon: usize) -> Vec<Path> {
    let levels = |smoothing: f64| {
        let mut level = series[0];
        series.iter().map(move |value| {
            level += smoothing * (value - level);
            level
        })
    };
    let errors =
        |smoothing: f64| levels(smoothing).zip(&series[1..]).map(|(level, value)| (value - level).powi(2)).sum::<f64>();
    let levels = levels(between(0.05, 0.95, errors));
    levels.enumerate().map(|(at, level)| Path { known: at + 1, values: vec![level; horizon] }).collect()
}

/// The mean demand of a period: its size and the time between, each smoothed, and their quotient less what it is too much by.
pub(super) fn intermittent(series: &[f64], horizon: usize) -> Vec<Path> {
    const SMOOTHING: f64 = 0.1;
    let (mut size, mut pause, mut since) = (None, 1.0, 1.0);
    let mut paths = Vec::with_capacity(series.len());
    for (at, value) in series.iter().enumerate() {
        if *value > 0.0 {
            size = Some(match size {
                None => {
                    pause = since;
                    *value
                }
                Some(size) => {
                    pause += SMOOTHING * (since - pause);
                    size + SMOOTHING * (value - size)
                }
            });
            since = 1.0;
        } else {
            since += 1.0;
        }
        let demand = size.map_or(0.0, |size| (1.0 - SMOOTHING / 2.0) * size / pause);
        paths.push(Path { known: at + 1, values: vec![demand; horizon] });
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_of_now_and_then_is_spread() {
        // Three each third period: 3 / 3, less five percent.
        let series: Vec<f64> = (0..60).map(|t| if t % 3 == 2 { 3.0 } else { 0.0 }).collect();
        let path = intermittent(&series, 2).pop().unwrap();
        assert!(path.values.iter().all(|value| (value - 0.95).abs() < 1e-9), "{:?}", path.values);
    }
}
