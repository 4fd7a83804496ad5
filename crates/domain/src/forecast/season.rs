//! What repeats itself: by how much a period of the season is above or below the others, as classical decomposition has it.

/// By how much of the deviation the season is believed: what is known of few years is partly chance (Miller and Williams 2003).
const BELIEVED: f64 = 0.9;
/// The quantile of the normal distribution that the autocorrelation must exceed: 90 %, both sides.
const SIGNIFICANT: f64 = 1.645;

/// The season of a series.
pub(super) enum Season {
    /// It has none.
    None,
    /// Each period is so many times what it would be.
    Factors(Vec<f64>),
    /// Each period is so much above what it would be.
    Summands(Vec<f64>),
}

impl Season {
    /// The season of a series, of so many periods, if it has one.
    pub(super) fn of(series: &[f64], periods: usize) -> Self {
        if periods < 2 || series.len() <= 2 * periods || !repeats(series, periods) {
            return Self::None;
        }
        let is_positive = series.iter().all(|value| *value > 0.0);
        let mut sums = vec![(0.0, 0.0); periods];
        for (t, level) in levels(series, periods) {
            let (sum, count) = &mut sums[t % periods];
            *sum += if is_positive { series[t] / level } else { series[t] - level };
            *count += 1.0;
        }
        let raw: Vec<f64> = sums.iter().map(|(sum, count)| sum / count).collect();
        let mean = raw.iter().sum::<f64>() / periods as f64;
        if is_positive {
            let factors: Vec<f64> = raw.iter().map(|factor| 1.0 + BELIEVED * (factor / mean - 1.0)).collect();
            if factors.iter().all(|factor| factor.is_finite() && *factor > 0.0) {
                Self::Factors(factors)
            } else {
                Self::None
            }
        } else {
            Self::Summands(raw.iter().map(|summand| BELIEVED * (summand - mean)).collect())
        }
    }

    /// The series as it would be without it.
    pub(super) fn without(&self, series: &[f64]) -> Vec<f64> {
        self.map(series, 0, |value, factor| value / factor, |value, summand| value - summand)
    }

    /// What follows after so many values, with it.
    pub(super) fn with(&self, values: &[f64], after: usize) -> Vec<f64> {
        self.map(values, after, |value, factor| value * factor, |value, summand| value + summand)
    }

    fn map(&self, values: &[f64], after: usize, times: fn(f64, f64) -> f64, plus: fn(f64, f64) -> f64) -> Vec<f64> {
        let each = |(t, value): (usize, &f64)| match self {
            Self::None => *value,
            Self::Factors(factors) => times(*value, factors[(after + t) % factors.len()]),
            Self::Summands(summands) => plus(*value, summands[(after + t) % summands.len()]),
        };
        values.iter().enumerate().map(each).collect()
    }
}

/// Whether a series is like itself a season before: its autocorrelation there is beyond what chance gives, by Bartlett's formula.
fn repeats(series: &[f64], periods: usize) -> bool {
    let count = series.len() as f64;
    let mean = series.iter().sum::<f64>() / count;
    let all: f64 = series.iter().map(|value| (value - mean).powi(2)).sum();
    if all <= 0.0 {
        return false;
    }
    let correlation = |lag: usize| {
        series.iter().skip(lag).zip(series).map(|(now, then)| (now - mean) * (then - mean)).sum::<f64>() / all
    };
    let before: f64 = (1..periods).map(|lag| correlation(lag).powi(2)).sum();
    correlation(periods).abs() > SIGNIFICANT * ((1.0 + 2.0 * before) / count).sqrt()
}

/// The level at each time that has half a season on either side: the centred moving average.
fn levels(series: &[f64], periods: usize) -> impl Iterator<Item = (usize, f64)> {
    let half = periods / 2;
    (half..series.len().saturating_sub(half)).map(move |t| {
        let window = &series[t - half..=t + half];
        let sum: f64 = window.iter().sum();
        // Of an even number the ends are the same period, each half.
        let ends = if periods.is_multiple_of(2) { 0.5 * (window[0] + window[window.len() - 1]) } else { 0.0 };
        (t, (sum - ends) / periods as f64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_season_of_a_line_is_found_and_taken_out() {
        let pattern = [1.2, 0.8, 1.1, 0.9];
        let series: Vec<f64> = (0..40).map(|t| 100.0 * pattern[t % 4]).collect();
        let Season::Factors(factors) = Season::of(&series, 4) else { panic!("it repeats itself") };
        for (factor, right) in factors.iter().zip(pattern) {
            assert!((factor - (1.0 + BELIEVED * (right - 1.0))).abs() < 1e-9, "{factors:?}");
        }
        let season = Season::Factors(factors);
        let back = season.with(&season.without(&series), 0);
        assert!(back.iter().zip(&series).all(|(back, was)| (back - was).abs() < 1e-9));
        let below: Vec<f64> = series.iter().map(|value| value - 100.0).collect();
        assert!(matches!(Season::of(&below, 4), Season::Summands(_)), "factors are of positive values only");
        let line: Vec<f64> = (0..40).map(f64::from).collect();
        assert!(matches!(Season::of(&line, 1), Season::None));
    }
}
