//! Exponential smoothing of level and trend, where the trend gets weaker with each period (Gardner and McKenzie 1985).

use super::{
    optimum::{logistic, near},
    theta::slope,
};

/// How many values the trend at the beginning is guessed from.
const BEGINNING: usize = 10;

#[derive(Clone, Copy)]
pub(super) struct DampedTrend {
    level_smoothing: f64,
    trend_smoothing: f64,
    /// What is left of the trend after a period: 0.8 to 0.98.
    damping: f64,
    level: f64,
    trend: f64,
}

impl DampedTrend {
    pub(super) fn fit(series: &[f64]) -> Self {
        let first = &series[..series.len().min(BEGINNING)];
        let mean = first.iter().sum::<f64>() / first.len() as f64;
        let trend = slope(first);
        let level = mean - trend * (first.len() as f64 + 1.0) / 2.0;
        let spread = (series.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / series.len() as f64).sqrt();
        let of = |at: &[f64; 5]| {
            let level_smoothing = 0.0001 + 0.9998 * logistic(at[0]);
            Self {
                level_smoothing,
                trend_smoothing: level_smoothing * logistic(at[1]),
                damping: 0.8 + 0.18 * logistic(at[2]),
                level: level + at[3] * spread,
                trend: trend + at[4] * spread / 10.0,
            }
        };
        let starts = [[0.0, -2.0, 1.5, 0.0, 0.0], [-2.0, -2.0, 1.5, 0.0, 0.0], [2.0, -3.0, 0.0, 0.0, 0.0]];
        of(&near(&starts, [1.0, 1.0, 1.0, 0.2, 0.2], |at| of(at).errors(series)))
    }

    fn learn(&mut self, value: f64) -> f64 {
        let next = self.level + self.damping * self.trend;
        let error = value - next;
        self.level = next + self.level_smoothing * error;
        self.trend = self.damping * self.trend + self.trend_smoothing * error;
        error
    }

    fn errors(mut self, series: &[f64]) -> f64 {
        series.iter().map(|value| self.learn(*value).powi(2)).sum()
    }

    /// What is forecast with each number of values known, from this one on.
    pub(super) fn paths(mut self, series: &[f64], horizon: usize, from: usize) -> Vec<Vec<f64>> {
        let mut paths = Vec::new();
        for known in 0..=series.len() {
            if known >= from {
                let (mut left, mut damped) = (1.0, 0.0);
                let one = |_| {
                    left *= self.damping;
                    damped += left;
                    self.level + damped * self.trend
                };
                paths.push((0..horizon).map(one).collect());
            }
            if let Some(value) = series.get(known) {
                self.learn(*value);
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_goes_on_and_gets_weaker() {
        let line: Vec<f64> = (0..60).map(|t| 100.0 + 5.0 * f64::from(t)).collect();
        let path = DampedTrend::fit(&line).paths(&line, 24, 60).remove(0);
        assert!((path[0] - 400.0).abs() < 2.0, "{path:?}");
        let steps: Vec<f64> = path.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.windows(2).all(|pair| pair[1] < pair[0] && pair[1] > 0.0), "{steps:?}");
    }
}
