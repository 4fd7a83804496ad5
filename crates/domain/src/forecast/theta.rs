//! The Theta method: exponential smoothing of the level, and half of the slope of the line through all values (Hyndman and Billah 2003 have shown that
//! this is what it is).

use super::optimum::between;

pub(super) struct Theta {
    smoothing: f64,
    drift: f64,
}

impl Theta {
    pub(super) fn fit(series: &[f64]) -> Self {
        let errors = |smoothing: f64| {
            let mut level = series[0];
            let mut sum = 0.0;
            for value in &series[1..] {
                let error = value - level;
                sum += error * error;
                level += smoothing * error;
            }
            sum
        };
        Self { smoothing: between(0.001, 0.999, errors), drift: slope(series) / 2.0 }
    }

    /// What is forecast with each number of values known, from this one on.
    pub(super) fn paths(&self, series: &[f64], horizon: usize, from: usize) -> Vec<Vec<f64>> {
        let Self { smoothing, drift } = *self;
        let (mut level, mut forgotten) = (series[0], 1.0 - smoothing);
        let mut paths = Vec::new();
        for known in 1..=series.len() {
            if known >= from {
                let behind = (1.0 - forgotten) / smoothing;
                paths.push((0..horizon).map(|h| level + drift * (h as f64 + behind)).collect());
            }
            if let Some(value) = series.get(known) {
                level += smoothing * (value - level);
            }
            forgotten *= 1.0 - smoothing;
        }
        paths
    }
}

/// The slope of the line through these values, by least squares.
pub(super) fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let of = |at: usize| at as f64 - middle;
    let squares: f64 = (0..values.len()).map(|at| of(at).powi(2)).sum();
    values.iter().enumerate().map(|(at, value)| of(at) * (value - mean)).sum::<f64>() / squares.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of a level that does not change, with a line that has no slope, nothing follows but itself; of a line, half its slope.
    #[test]
    fn half_of_the_slope_is_believed() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-12);
        let line: Vec<f64> = (0..60).map(|t| 10.0 + 4.0 * f64::from(t)).collect();
        let theta = Theta::fit(&line);
        let paths = theta.paths(&line, 3, 60);
        let [one, two, three] = paths[0][..] else { panic!("three periods") };
        assert!((two - one - 2.0).abs() < 1e-9 && (three - two - 2.0).abs() < 1e-9);
        assert!((one - 248.0).abs() < 3.0, "it goes on from the last value, 246: {one}");
    }
}
