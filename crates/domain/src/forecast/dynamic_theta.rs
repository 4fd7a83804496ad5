//! The dynamic optimised Theta method: how strongly the line bends, how fast the level follows, and where that begins are chosen by the series, and the line
//! is drawn anew with each value (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler 2016, DOTM).

use super::optimum::{logistic, near};

#[derive(Clone, Copy)]
pub(super) struct DynamicTheta {
    level: f64,
    smoothing: f64,
    /// `1 − 1/θ`: how much of the line is believed.
    weight: f64,
}

/// What is known of a series after some of its values.
#[derive(Clone, Copy)]
struct State {
    known: f64,
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
    /// `(1 − α)` to the number of values.
    forgotten: f64,
}

impl DynamicTheta {
    pub(super) fn fit(series: &[f64]) -> Self {
        let size = series.iter().map(|value| value.abs()).sum::<f64>() / series.len() as f64 + f64::MIN_POSITIVE;
        let of = |[level, smoothing, theta]: &[f64; 3]| Self {
            level: level * size,
            smoothing: 0.1 + 0.89 * logistic(*smoothing),
            weight: 1.0 - 1.0 / (1.0 + 99.0 * logistic(*theta)),
        };
        let level = series[0] / size / 2.0;
        of(&near(&[[level, 0.0, -4.0], [level, -2.0, -4.0]], [0.2, 1.0, 1.0], |at| of(at).errors(series)))
    }

    fn beginning(&self) -> State {
        State { known: 0.0, level: self.level, mean: 0.0, intercept: 0.0, slope: 0.0, forgotten: 1.0 }
    }

    fn next(&self, state: &State) -> f64 {
        let ahead = (1.0 - state.forgotten * (1.0 - self.smoothing)) / self.smoothing;
        state.level + self.weight * (state.forgotten * state.intercept + ahead * state.slope)
    }

    fn learn(&self, state: &mut State, value: f64) {
        let count = state.known + 1.0;
        state.level = self.smoothing * value + (1.0 - self.smoothing) * state.level;
        state.slope = match state.known {
            0.0 => 0.0,
            _ => ((count - 2.0) * state.slope + 6.0 * (value - state.mean) / count) / (count + 1.0),
        };
        state.mean = (state.known * state.mean + value) / count;
        state.intercept = state.mean - state.slope * (count + 1.0) / 2.0;
        state.forgotten *= 1.0 - self.smoothing;
        state.known = count;
    }

    /// The sum of the squared errors of the next value, each time.
    fn errors(&self, series: &[f64]) -> f64 {
        let mut state = self.beginning();
        let mut sum = 0.0;
        for value in series {
            if state.known > 0.0 {
                sum += (value - self.next(&state)).powi(2);
            }
            self.learn(&mut state, *value);
        }
        sum
    }

    /// What is forecast with each number of values known, from this one on.
    pub(super) fn paths(&self, series: &[f64], horizon: usize, from: usize) -> Vec<Vec<f64>> {
        let mut state = self.beginning();
        let mut paths = Vec::new();
        for known in 0..=series.len() {
            if known >= from {
                // What is forecast is taken for what comes.
                let mut ahead = state;
                let one = |_| {
                    let next = self.next(&ahead);
                    self.learn(&mut ahead, next);
                    next
                };
                paths.push((0..horizon).map(one).collect());
            }
            if let Some(value) = series.get(known) {
                self.learn(&mut state, *value);
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::super::theta::slope;
    use super::*;

    /// The line that is drawn anew with each value is the one through all of them.
    #[test]
    fn the_line_is_that_of_least_squares() {
        let series = [3.0, 8.0, 1.0, 9.0, 4.0, 4.5, 12.0];
        let method = DynamicTheta { level: 1.0, smoothing: 0.4, weight: 0.5 };
        let mut state = method.beginning();
        for (at, value) in series.iter().enumerate() {
            method.learn(&mut state, *value);
            if at > 0 {
                let known = &series[..=at];
                assert!((state.slope - slope(known)).abs() < 1e-9, "{at}");
                assert!((state.mean - known.iter().sum::<f64>() / known.len() as f64).abs() < 1e-9);
            }
        }
    }
}
