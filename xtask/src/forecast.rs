//! How well series are forecast: those of a CSV, each known up to a time and compared with what came after.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use aether_domain::forecast::{Forecast, forecast};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// CSV with the columns series, part and value: a row a value in the order of time, whose part is `train` or `test`.
    #[arg(value_name = "FILE")]
    csv: PathBuf,
    /// How many values a season has: 12 of months.
    #[arg(long, default_value_t = 12)]
    season: usize,
}

/// What is known of a series, and what came after.
#[derive(Default)]
struct Series {
    train: Vec<f64>,
    test: Vec<f64>,
}

/// The errors of all series so far.
#[derive(Default)]
struct Sums {
    series: usize,
    refused: usize,
    smape: f64,
    mase: f64,
    values: usize,
    within_80: usize,
    within_95: usize,
}

/// Forecasts each series and prints how far that was off.
pub fn run(options: &Options) -> Result<()> {
    let all = read(options)?;
    let began = Instant::now();
    let mut sums = Sums::default();
    for Series { train, test } in all.values() {
        match forecast(train, options.season, test.len()) {
            Ok(forecast) => sums.add(train, test, &forecast, options.season),
            Err(_) => sums.refused += 1,
        }
    }
    let took = began.elapsed();
    ensure!(sums.series > 0, "no series could be forecast");
    let mean = |sum: f64| sum / sums.series as f64;
    let share = |count: usize| 100.0 * count as f64 / sums.values as f64;
    println!("| series | refused | sMAPE | MASE | within 80 % | within 95 % | seconds |");
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    println!(
        "| {} | {} | {:.2} | {:.3} | {:.1} | {:.1} | {:.1} |",
        sums.series,
        sums.refused,
        mean(sums.smape),
        mean(sums.mase),
        share(sums.within_80),
        share(sums.within_95),
        took.as_secs_f64()
    );
    Ok(())
}

fn read(options: &Options) -> Result<BTreeMap<String, Series>> {
    let mut reader =
        csv::Reader::from_path(&options.csv).with_context(|| format!("{} cannot be read", options.csv.display()))?;
    let mut all: BTreeMap<String, Series> = BTreeMap::new();
    for row in reader.deserialize() {
        let (series, part, value): (String, String, f64) = row?;
        let series = all.entry(series).or_default();
        match part.as_str() {
            "train" => series.train.push(value),
            "test" => series.test.push(value),
            other => bail!("a part is train or test, not {other}"),
        }
    }
    Ok(all)
}

impl Sums {
    /// Adds a series: sMAPE and MASE as the M competitions define them, the latter against the season before.
    fn add(&mut self, train: &[f64], test: &[f64], forecast: &Forecast, season: usize) {
        let lag = if train.len() > season { season.max(1) } else { 1 };
        let naive = train.iter().skip(lag).zip(train).map(|(now, then)| (now - then).abs()).sum::<f64>();
        let scale = naive / (train.len() - lag) as f64;
        let pairs = || test.iter().zip(&forecast.points);
        let count = test.len().max(1) as f64;
        let symmetric = pairs().map(|(value, point)| {
            let size = value.abs() + point.value.abs();
            if size > 0.0 { 200.0 * (value - point.value).abs() / size } else { 0.0 }
        });
        self.smape += symmetric.sum::<f64>() / count;
        self.mase += pairs().map(|(value, point)| (value - point.value).abs()).sum::<f64>()
            / count
            / scale.max(f64::MIN_POSITIVE);
        let within = |(low, high): (f64, f64), value: &f64| (low..=high).contains(value);
        self.within_80 += pairs().filter(|(value, point)| within(point.within_80, value)).count();
        self.within_95 += pairs().filter(|(value, point)| within(point.within_95, value)).count();
        self.values += test.len();
        self.series += 1;
    }
}
