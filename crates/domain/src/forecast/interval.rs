//! How far forecasts are off: by the errors that they would have made before, with what was known then.
//!
//! The squared errors of each horizon are smoothed by a line over the horizons, for of the longest there are few. Parameters are those of the
//! whole series, so the errors are a little too small; the quantiles are therefore those of Student's distribution with seven degrees of freedom. On the
//! monthly series of M3 intervals so made hold what they promise.

use super::Path;

/// The quantiles of Student's distribution with seven degrees of freedom, both sides.
pub(super) const T_80: f64 = 1.415;
pub(super) const T_95: f64 = 2.365;
/// How many errors of a horizon it takes to be judged.
const ENOUGH: usize = 3;

/// How far forecasts of a horizon would have been off before.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HorizonError {
    /// How many periods ahead.
    pub horizon: usize,
    /// How many forecasts that stands on.
    pub count: usize,
    /// The mean of the errors' sizes (MAE).
    pub absolute: f64,
    /// The root of the mean of their squares (RMSE).
    pub root_square: f64,
    /// Their mean size in percent of the values (MAPE), of those that are not zero; none without any.
    pub percent: Option<f64>,
}

/// The standard deviation of each horizon, and the errors that it is of.
pub(super) fn deviations(series: &[f64], paths: &[Path]) -> (Vec<f64>, Vec<HorizonError>) {
    let horizon = paths.last().map_or(0, |path| path.values.len());
    let errors: Vec<HorizonError> = (0..horizon).map(|h| of_horizon(series, paths, h)).collect();
    let judged = |error: &&HorizonError| error.count >= ENOUGH.min(series.len().saturating_sub(2)).max(1);
    // The line through the squares, each horizon as often as it was judged.
    let (mut count, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for error in errors.iter().filter(judged) {
        let (weight, at, square) = (error.count as f64, error.horizon as f64 - 1.0, error.root_square.powi(2));
        count += weight;
        x += weight * at;
        y += weight * square;
        xx += weight * at * at;
        xy += weight * at * square;
    }
    let spread = count * xx - x * x;
    let mut slope = if spread > 0.0 { (count * xy - x * y) / spread } else { 0.0 };
    let mut first = if count > 0.0 { (y - slope * x) / count } else { 0.0 };
    if slope < 0.0 {
        (slope, first) = (0.0, if count > 0.0 { y / count } else { 0.0 });
    }
    // The next period is at least as uncertain as it was.
    let first = first.max(errors.first().map_or(0.0, |error| error.root_square.powi(2)));
    let deviations = (0..horizon).map(|h| (first + slope * h as f64).max(0.0).sqrt());
    (deviations.collect(), errors)
}

fn of_horizon(series: &[f64], paths: &[Path], h: usize) -> HorizonError {
    let mut of = HorizonError { horizon: h + 1, ..HorizonError::default() };
    let (mut percent, mut compared) = (0.0, 0);
    for path in paths {
        let Some(value) = series.get(path.known + h) else { break };
        let error = (value - path.values[h]).abs();
        of.count += 1;
        of.absolute += error;
        of.root_square += error * error;
        if *value != 0.0 {
            percent += error / value.abs() * 100.0;
            compared += 1;
        }
    }
    let count = of.count.max(1) as f64;
    HorizonError {
        absolute: of.absolute / count,
        root_square: (of.root_square / count).sqrt(),
        percent: (compared > 0).then(|| percent / f64::from(compared)),
        ..of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_a_hand_calculation() {
        let series = [1.0, 2.0, 4.0, 0.0];
        let path = |known: usize, values: &[f64]| Path { known, values: values.to_vec() };
        // One ahead: 2 − 1, 4 − 2, 0 − 4; two ahead: 4 − 1, 0 − 2.
        let paths = [path(1, &[1.0, 1.0]), path(2, &[2.0, 2.0]), path(3, &[4.0, 4.0]), path(4, &[0.0, 0.0])];
        let (deviations, errors) = deviations(&series, &paths);
        assert_eq!((errors[0].count, errors[1].count), (3, 2));
        assert!((errors[0].absolute - 7.0 / 3.0).abs() < 1e-12 && (errors[1].absolute - 2.5).abs() < 1e-12);
        assert!((errors[0].root_square - 7.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(errors[0].percent, Some(50.0), "of 2 and of 4, each half");
        assert!(deviations[0] >= errors[0].root_square - 1e-12 && deviations[1] >= deviations[0]);
    }
}
