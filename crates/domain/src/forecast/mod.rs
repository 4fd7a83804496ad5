//! What a series is likely to be next, with the interval in which it will be, and how well that would have worked before.
//!
//! The forecast is the mean of three simple ones, each good by itself and wrong in its own way: the Theta method (Assimakopoulos and Nikolopoulos 2000),
//! the dynamic optimised Theta method (Fiorucci and others 2016) and exponential smoothing with a damped trend (Gardner and McKenzie 1985). Where the series repeats
//! itself, which an autocorrelation test at 90 % decides, its season is taken out first and put back afterwards ([`season`]). Intervals are of
//! the errors that the same forecasts would have made, by horizon ([`interval`]). Nothing looks ahead.

mod combined;
mod damped_trend;
mod dynamic_theta;
mod interval;
mod optimum;
mod season;
mod simple;
mod theta;

pub use self::interval::HorizonError;

/// The shortest series that is forecast.
pub const SHORTEST: usize = 3;
/// The shortest that is forecast by more than its level.
const LONG: usize = 12;
/// From this share of zeros on a series is intermittent.
const INTERMITTENT: f64 = 0.5;

/// How a series was forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The mean of Theta, dynamic optimised Theta and damped trend, of the series as it is.
    Combined,
    /// The same, of the series without its season.
    CombinedSeasonal,
    /// Its level alone, by simple exponential smoothing: it is too short for more.
    Level,
    /// The mean demand of a period, by the method of Syntetos and Boylan (2005): most values are zero.
    Intermittent,
    /// It has always been the same.
    Constant,
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has fewer values than [`SHORTEST`].
    TooShort,
    /// A value is no finite number.
    NotFinite,
}

/// What a series is likely to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// How it was forecast.
    pub method: Method,
    /// The periods to come, the next first.
    pub points: Vec<Point>,
    /// How far the same forecasts would have been off before, by horizon.
    pub backtest: Vec<HorizonError>,
}

/// A period to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// What is most likely.
    pub value: f64,
    /// In four of five cases it will not be below the first and not above the second.
    pub within_80: (f64, f64),
    /// In nineteen of twenty.
    pub within_95: (f64, f64),
}

/// Forecasts so many periods of a series in which a season has `season` periods, 1 where there is none: 12 of months, 7 of days.
///
/// # Errors
/// [`Refusal`], where the series is too short or has something that is no number.
pub fn forecast(series: &[f64], season: usize, horizon: usize) -> Result<Forecast, Refusal> {
    if series.iter().any(|value| !value.is_finite()) {
        return Err(Refusal::NotFinite);
    }
    if series.len() < SHORTEST {
        return Err(Refusal::TooShort);
    }
    let zeros = series.iter().filter(|value| **value == 0.0).count() as f64;
    let (method, paths) = if series.iter().all(|value| *value == series[0]) {
        (Method::Constant, simple::constant(series, horizon))
    } else if zeros >= INTERMITTENT * series.len() as f64 && series.iter().all(|value| *value >= 0.0) {
        (Method::Intermittent, simple::intermittent(series, horizon))
    } else if series.len() < LONG {
        (Method::Level, simple::level(series, horizon))
    } else {
        let (is_seasonal, paths) = combined::paths(series, season, horizon);
        (if is_seasonal { Method::CombinedSeasonal } else { Method::Combined }, paths)
    };
    let is_never_negative = series.iter().all(|value| *value >= 0.0);
    let bound = |value: f64| if is_never_negative { value.max(0.0) } else { value };
    let (deviations, backtest) = interval::deviations(series, &paths);
    let last = paths.last().map(|path| path.values.clone()).unwrap_or_default();
    let points = last.into_iter().zip(deviations).map(|(value, deviation)| {
        let around = |quantile: f64| (bound(value - quantile * deviation), bound(value + quantile * deviation));
        Point { value: bound(value), within_80: around(interval::T_80), within_95: around(interval::T_95) }
    });
    Ok(Forecast { method, points: points.collect(), backtest })
}

/// What would have been forecast when so many values were known.
struct Path {
    known: usize,
    values: Vec<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(t: usize) -> f64 {
        [10.0, -5.0, 3.0, 8.0, -9.0, 0.0, 4.0, -2.0, 6.0, -7.0, 1.0, -9.0][t % 12]
    }

    /// A line with a season, without chance: what comes is known.
    #[test]
    fn what_repeats_itself_goes_on() {
        let series: Vec<f64> = (0..96).map(|t| 1_000.0 + 2.0 * t as f64 + 10.0 * month(t)).collect();
        let Forecast { method, points, backtest } = forecast(&series, 12, 18).unwrap();
        assert_eq!(method, Method::CombinedSeasonal);
        for (h, point) in points.iter().enumerate() {
            let right = 1_000.0 + 2.0 * (96 + h) as f64 + 10.0 * month(96 + h);
            assert!((point.value - right).abs() < 0.05 * right, "{h}: {point:?} {right}");
            assert!(point.within_95.0 <= point.within_80.0 && point.within_80.1 <= point.within_95.1);
        }
        assert_eq!(backtest.len(), 18);
    }

    #[test]
    fn short_constant_and_sparse_series_have_simpler_methods() {
        let method = |series: &[f64]| forecast(series, 12, 6).map(|forecast| forecast.method);
        assert_eq!(method(&[]), Err(Refusal::TooShort));
        assert_eq!(method(&[1.0, 2.0]), Err(Refusal::TooShort));
        assert_eq!(method(&[1.0, f64::NAN, 2.0]), Err(Refusal::NotFinite));
        assert_eq!(method(&[1.0, 2.0, 3.0]), Ok(Method::Level));
        assert_eq!(method(&[4.0; 40]), Ok(Method::Constant));
        assert_eq!(
            method(&[0.0, 0.0, 3.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 1.0]),
            Ok(Method::Intermittent)
        );
        let constant = forecast(&[4.0; 40], 12, 3).unwrap();
        assert!(constant.points.iter().all(|point| point.value == 4.0 && point.within_95 == (4.0, 4.0)));
    }

    proptest::proptest! {
        #[test]
        fn there_is_always_a_number_or_a_reason(
            series in proptest::collection::vec(-1e9_f64..1e9, 0..80),
            season in 0_usize..14,
            scale in proptest::sample::select(vec![0.0, 1e-9, 1.0, 1e6]),
        ) {
            let series: Vec<f64> = series.iter().map(|value| value * scale).collect();
            match forecast(&series, season, 13) {
                Ok(forecast) => {
                    proptest::prop_assert_eq!(forecast.points.len(), 13);
                    for point in forecast.points {
                        let all = [point.value, point.within_80.0, point.within_80.1, point.within_95.0, point.within_95.1];
                        proptest::prop_assert!(all.iter().all(|value| value.is_finite()), "{:?}", point);
                        proptest::prop_assert!(point.within_80.0 <= point.value && point.value <= point.within_80.1);
                    }
                }
                Err(refusal) => proptest::prop_assert_eq!(refusal, Refusal::TooShort),
            }
        }
    }
}
