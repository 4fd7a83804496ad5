//! The mean of three forecasts of a series without its season.

use super::{Path, damped_trend::DampedTrend, dynamic_theta::DynamicTheta, season::Season, theta::Theta};

/// The share of a series that is known before the first forecast that its errors are judged by.
const BEGINNING: usize = 3;

/// Whether the series has a season, and what would have been forecast of it from its first third on, the last of what comes next.
pub(super) fn paths(series: &[f64], season: usize, horizon: usize) -> (bool, Vec<Path>) {
    let season = Season::of(series, season);
    let plain = season.without(series);
    let (theta, dynamic, damped) = (Theta::fit(&plain), DynamicTheta::fit(&plain), DampedTrend::fit(&plain));
    // Twelve are what a season of months is known by.
    let from = (series.len() / BEGINNING).max(13).min(series.len() - 1);
    let all =
        [theta.paths(&plain, horizon, from), dynamic.paths(&plain, horizon, from), damped.paths(&plain, horizon, from)];
    let paths = (from..=series.len()).enumerate().map(|(place, known)| {
        let mean = (0..horizon).map(|h| all.iter().map(|paths| paths[place][h]).sum::<f64>() / all.len() as f64);
        Path { known, values: season.with(&mean.collect::<Vec<_>>(), known) }
    });
    (!matches!(season, Season::None), paths.collect())
}
