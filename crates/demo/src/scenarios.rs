//! What-if scenarios with results that a small Monte Carlo run really gave.

use chrono::Duration;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::random::{Random, cents, places, stream};
use crate::tenant::Tenant;

const ITERATIONS: usize = 2_000;
const DRIVERS: [&str; 3] = ["investment", "headcount", "price"];

/// Name, description, tags, status, template, runs, and investment in thousands, headcount, price in percent.
struct Script {
    name: &'static str,
    description: &'static str,
    tags: &'static [&'static str],
    status: &'static str,
    template: bool,
    runs: usize,
    drivers: [f64; 3],
}

#[rustfmt::skip]
const SCRIPTS: [Script; 9] = [
    script("Hiring freeze", "No new positions for two quarters.", &["headcount", "downside"], "completed", false, 3, [0.0, -18.0, 0.0]),
    script("Asia Pacific expansion", "A sales hub in Singapore with local delivery.", &["growth", "apac"], "completed", false, 2, [2_400.0, 32.0, 0.0]),
    script("Price increase of 5 %", "List prices rise at renewal.", &["pricing"], "completed", false, 2, [150.0, 0.0, 5.0]),
    script("Recession", "Weak demand: prices under pressure, investment cut.", &["downside", "board"], "completed", false, 1, [-1_800.0, -25.0, -6.0]),
    script("Self-serve product line", "A smaller product sold without sales staff.", &["growth", "product"], "running", false, 0, [3_100.0, 14.0, -2.0]),
    script("Second data centre", "Move a third of compute out of the cloud.", &["infrastructure"], "draft", false, 0, [5_200.0, 6.0, 0.0]),
    script("Template: cost programme", "Start here for a cost programme.", &["template"], "draft", true, 0, [-500.0, -10.0, 0.0]),
    script("Template: growth case", "Start here for an investment case.", &["template", "growth"], "completed", true, 1, [1_000.0, 12.0, 1.0]),
    script("Acquire Foresight Suite", "The run was stopped: the price was out of bounds.", &["m&a"], "failed", false, 0, [48_000.0, 140.0, 0.0]),
];

const fn script(
    name: &'static str,
    description: &'static str,
    tags: &'static [&'static str],
    status: &'static str,
    template: bool,
    runs: usize,
    drivers: [f64; 3],
) -> Script {
    Script { name, description, tags, status, template, runs, drivers }
}

/// What a run gave.
struct Outcome {
    sorted: Vec<f64>,
    mean: f64,
    deviation: f64,
    /// Driver with the mean outcome when it alone is at its lowest and highest tenth.
    tornado: [(&'static str, f64, f64); 3],
}

impl Outcome {
    /// Net benefit over twelve months: price works on revenue, people cost and sell, investment pays back in part.
    fn run(random: &mut Random, [investment, headcount, price]: [f64; 3], volume: f64) -> Self {
        let benefit = |[investment, headcount, price]: [f64; 3]| {
            volume * (216_000_000.0 * price / 100.0 * 0.8 + headcount * 61_000.0) + investment * 1_000.0 * volume * 0.35
        };
        let spread = [investment.abs() * 0.12 + 40.0, headcount.abs() * 0.15 + 1.5, price.abs() * 0.2 + 0.15];
        let center = [investment, headcount, price];
        let mut sorted: Vec<f64> = (0..ITERATIONS)
            .map(|_| benefit([0, 1, 2].map(|driver| center[driver] + random.noise(spread[driver]))))
            .collect();
        let mean = sorted.iter().sum::<f64>() / ITERATIONS as f64;
        let deviation = (sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / ITERATIONS as f64).sqrt();
        sorted.sort_by(f64::total_cmp);
        let tornado = [0, 1, 2].map(|driver| {
            let moved = |by: f64| {
                let mut moved = center;
                moved[driver] += by * spread[driver];
                benefit(moved)
            };
            (DRIVERS[driver], moved(-1.28), moved(1.28))
        });
        Self { sorted, mean, deviation, tornado }
    }

    fn percentile(&self, percent: usize) -> f64 {
        self.sorted[(percent * (ITERATIONS - 1) + 50) / 100]
    }

    /// Share of outcomes below zero.
    fn loss(&self) -> Decimal {
        let losses = self.sorted.partition_point(|value| *value < 0.0);
        places(losses as f64 / ITERATIONS as f64, 4)
    }

    fn percentiles(&self) -> Value {
        let each =
            [5, 10, 25, 50, 75, 90, 95].map(|percent| (format!("p{percent}"), json!(whole(self.percentile(percent)))));
        Value::Object(each.into_iter().collect())
    }

    fn histogram(&self) -> Value {
        const BINS: usize = 20;
        let (low, high) = (self.sorted[0], self.sorted[ITERATIONS - 1]);
        let width = (high - low) / BINS as f64;
        let mut counts = [0; BINS];
        for value in &self.sorted {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
        }
        let bins = counts.into_iter().enumerate().map(|(bin, count)| {
            let from = low + width * bin as f64;
            json!({ "from": whole(from), "to": whole(from + width), "count": count })
        });
        Value::Array(bins.collect())
    }

    fn tornado(&self) -> Value {
        let mut bars = self.tornado;
        bars.sort_by(|one, other| (other.2 - other.1).abs().total_cmp(&(one.2 - one.1).abs()));
        Value::Array(
            bars.map(|(driver, low, high)| json!({ "driver": driver, "low": whole(low), "high": whole(high) }))
                .to_vec(),
        )
    }

    fn summary(&self, seed: i64) -> Value {
        json!({
            "iterations": ITERATIONS,
            "seed": seed,
            "mean": whole(self.mean),
            "standardDeviation": whole(self.deviation),
            "percentiles": self.percentiles(),
        })
    }
}

fn whole(value: f64) -> i64 {
    value.round() as i64
}

fn parameters(script: &Script, volume: f64) -> Value {
    let [investment, headcount, price] = script.drivers;
    let normal = |mean: f64, deviation: f64| json!({ "type": "normal", "mean": mean, "standardDeviation": deviation });
    let money = (investment * 1_000.0 * volume).round();
    json!({
        "investment": money,
        "headcount": headcount,
        "price": price,
        "distributions": {
            "investment": { "type": "triangular", "min": money - money.abs() * 0.3 - 100_000.0, "mode": money, "max": money + money.abs() * 0.3 + 100_000.0 },
            "headcount": normal(headcount, headcount.abs() * 0.15 + 1.5),
            "price": { "type": "uniform", "min": price - price.abs() * 0.35 - 0.25, "max": price + price.abs() * 0.35 + 0.25 },
        },
    })
}

fn analysis() -> Value {
    json!({
        "mitigation": [
            "Phase the change over two quarters and stop at the first phase if the fifth percentile worsens.",
            "Hedge the largest bar of the tornado before committing the rest.",
        ],
        "growth": [
            "Use the freed budget in Asia Pacific, where the pipeline grows fastest.",
            "Bundle Nexus Analytics at renewal.",
        ],
    })
}

/// Fills `scenarios` and `scenario_results`.
pub(crate) fn scenarios(tenant: &Tenant) -> Vec<Rows> {
    let mut scenarios = Rows::new(
        "scenarios",
        &[
            "id",
            "organization_id",
            "created_by",
            "name",
            "description",
            "tags",
            "parameters",
            "results",
            "ai_analysis",
            "status",
            "is_template",
            "shared_with",
            "created_at",
            "updated_at",
        ],
    );
    let mut results = Rows::new(
        "scenario_results",
        &[
            "id",
            "scenario_id",
            "run_number",
            "seed",
            "iterations",
            "parameters",
            "percentiles",
            "histogram",
            "tornado",
            "mean",
            "standard_deviation",
            "probability_of_loss",
            "started_at",
            "completed_at",
            "duration_ms",
            "created_by",
        ],
    );
    let (mut random, mut ids) = (tenant.random("scenarios"), tenant.ids("scenarios"));
    let authors = tenant.staff(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
    for (index, script) in SCRIPTS.iter().enumerate() {
        let made = tenant.ago(24.0 * random.between(12.0, 80.0));
        let id = ids.at(made);
        let author = authors[index % authors.len()];
        let (mut last, mut touched) = (None, made);
        let parameters = parameters(script, tenant.volume);
        // A scenario that runs, or whose run failed, has one run without an outcome.
        let unfinished = matches!(script.status, "running" | "failed");
        for run in 0..script.runs + usize::from(unfinished) {
            let seed = random.whole(1, 1_000_000);
            let millis = random.whole(180, 2_400);
            let started = match script.status {
                "running" => tenant.now(),
                _ => made + Duration::hours(20 * (run as i64 + 1)),
            };
            let completed = (!unfinished).then(|| started + Duration::milliseconds(millis));
            let outcome = completed.map(|_| {
                let mut random = Random(stream(seed.unsigned_abs(), "monte-carlo", ""));
                Outcome::run(&mut random, script.drivers, tenant.volume)
            });
            let outcome = outcome.as_ref();
            results.push(row![
                ids.at(started),
                id,
                run as i64 + 1,
                seed,
                ITERATIONS as i64,
                parameters.clone(),
                outcome.map(Outcome::percentiles),
                outcome.map(Outcome::histogram),
                outcome.map(Outcome::tornado),
                outcome.map(|outcome| cents(outcome.mean)),
                outcome.map(|outcome| cents(outcome.deviation)),
                outcome.map(Outcome::loss),
                started,
                completed,
                completed.map(|_| millis),
                author.id,
            ]);
            touched = completed.unwrap_or(started);
            last = outcome.map(|outcome| outcome.summary(seed));
        }
        let shared: Vec<Uuid> =
            authors.iter().filter(|user| user.id != author.id).take(index % 3).map(|user| user.id).collect();
        scenarios.push(row![
            id,
            tenant.id(),
            author.id,
            script.name,
            script.description,
            script.tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>(),
            parameters,
            last.clone(),
            last.map(|_| analysis()),
            script.status,
            script.template,
            shared,
            made,
            touched,
        ]);
    }
    vec![scenarios, results]
}
