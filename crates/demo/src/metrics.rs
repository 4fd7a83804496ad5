//! Three years of monthly metrics and half a year of forecasts, with seasons, growth, noise and injected anomalies.

use chrono::{Datelike as _, Duration, Months, NaiveDate};

use crate::copy::{Rows, row};
use crate::injected::InjectedAnomaly;
use crate::random::{Random, cents};
use crate::tenant::{Tenant, midnight};

/// How many months have actual values, the current one included.
pub(crate) const PAST: i32 = 36;
pub(crate) const FUTURE: i32 = 6;

/// The model that is named as the maker of forecasts; `assistant` registers it.
pub(crate) const FORECASTER: &str = "aether-forecast 3.2.0";

/// A region with its share of the business and its yearly growth.
pub(crate) const REGIONS: [(&str, f64, f64); 5] = [
    ("North America", 0.42, 0.16),
    ("Europe", 0.27, 0.13),
    ("Middle East", 0.07, 0.24),
    ("Asia Pacific", 0.16, 0.28),
    ("Latin America", 0.08, 0.19),
];

/// Lines of business.
pub(crate) const LOBS: [&str; 2] = ["Software", "Services"];

/// What revenue and recurring revenue are split by: line of business, product and share.
pub(crate) const PRODUCTS: [(usize, &str, f64); 3] =
    [(0, "Aether Platform", 0.48), (0, "Nexus Analytics", 0.22), (1, "Implementation", 0.30)];

const SEASON: [f64; 12] = [0.93, 0.94, 1.06, 0.95, 0.97, 1.07, 0.94, 0.93, 1.05, 0.98, 1.02, 1.16];
const SPENDING: [f64; 12] = [1.04, 0.99, 1.01, 0.99, 1.0, 1.02, 0.97, 0.96, 1.01, 1.0, 1.0, 1.03];

/// The twelve metric types, in the order of the enum.
pub(crate) const METRICS: [&str; 12] = [
    "REVENUE",
    "ARR",
    "MRR",
    "EBITDA",
    "GROSS_MARGIN",
    "OPERATING_EXPENSE",
    "CASH_FLOW",
    "NET_INCOME",
    "CAC",
    "LTV",
    "NRR",
    "CHURN_RATE",
];

/// Metrics of which a sum means nothing.
pub(crate) fn is_ratio(metric: &str) -> bool {
    matches!(metric, "GROSS_MARGIN" | "CAC" | "LTV" | "NRR" | "CHURN_RATE")
}

/// What one region did in one month, before it is spelled out as metrics: by product, then by line of business.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) revenue: [f64; 3],
    pub(crate) recurring: [f64; 3],
    pub(crate) spending: [f64; 2],
    /// Percent.
    pub(crate) margin: [f64; 2],
    /// Share of EBITDA that arrives as cash.
    pub(crate) collection: [f64; 2],
    pub(crate) acquisition: [f64; 2],
    pub(crate) lifetime: [f64; 2],
    /// Percent.
    pub(crate) retention: [f64; 2],
    /// Percent.
    pub(crate) churn: [f64; 2],
}

/// One metric of one line of business and maybe product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) metric: &'static str,
    pub(crate) lob: &'static str,
    pub(crate) product: Option<&'static str>,
    pub(crate) value: f64,
}

impl Base {
    /// A month of a region; `offset` counts months from the current one and `wobble` scales the noise.
    fn draw(random: &mut Random, day: NaiveDate, offset: i32, region: usize, volume: f64, wobble: f64) -> Self {
        let (_, share, growth) = REGIONS[region];
        let years = f64::from(offset) / 12.0;
        let grown = volume * share * (1.0 + growth).powf(years);
        let season = SEASON[day.month0() as usize];
        let spend = SPENDING[day.month0() as usize];
        let mut vary = |deviation: f64| 1.0 + random.noise(deviation * wobble);
        Self {
            revenue: PRODUCTS.map(|(_, _, part)| 18_000_000.0 * grown * part * season * vary(0.016)),
            recurring: PRODUCTS.map(|(_, _, part)| 11_000_000.0 * grown * part * vary(0.007)),
            spending: [0.66, 0.34].map(|part| 9_300_000.0 * grown.powf(0.97) * part * spend * vary(0.014)),
            margin: [78.4 + 0.5 * years, 43.0 + 0.4 * years].map(|level| level * vary(0.009)),
            collection: [0.86, 0.81].map(|level| level * vary(0.025)),
            acquisition: [14_200.0, 6_100.0].map(|level| level * (1.0 + 0.04 * years) * vary(0.02)),
            lifetime: [61_500.0, 24_800.0].map(|level| level * (1.0 + 0.06 * years) * vary(0.015)),
            retention: [113.0, 103.5].map(|level| level * vary(0.006)),
            churn: [1.35, 2.20].map(|level| level * (1.0 - 0.05 * years) * vary(0.035)),
        }
    }

    /// Spelled out as metrics, always in the same order.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points = Vec::with_capacity(27);
        for (index, (lob, product, _)) in PRODUCTS.into_iter().enumerate() {
            let by_product = |metric, value| Point { metric, lob: LOBS[lob], product: Some(product), value };
            points.push(by_product("REVENUE", self.revenue[index]));
            points.push(by_product("MRR", self.recurring[index]));
            points.push(by_product("ARR", self.recurring[index] * 12.0));
        }
        for (index, lob) in LOBS.into_iter().enumerate() {
            let products = PRODUCTS.iter().zip(self.revenue).filter(|((of, ..), _)| *of == index);
            let revenue: f64 = products.map(|(_, revenue)| revenue).sum();
            let ebitda = revenue * self.margin[index] / 100.0 - self.spending[index];
            for (metric, value) in [
                ("EBITDA", ebitda),
                ("GROSS_MARGIN", self.margin[index]),
                ("OPERATING_EXPENSE", self.spending[index]),
                ("CASH_FLOW", ebitda * self.collection[index]),
                ("NET_INCOME", ebitda * 0.74 - revenue * 0.011),
                ("CAC", self.acquisition[index]),
                ("LTV", self.lifetime[index]),
                ("NRR", self.retention[index]),
                ("CHURN_RATE", self.churn[index]),
            ] {
                points.push(Point { metric, lob, product: None, value });
            }
        }
        points
    }
}

/// Fills `financial_metrics` and tells the injected anomalies what they did.
pub(crate) fn metrics(tenant: &Tenant, injected: &mut [InjectedAnomaly]) -> Rows {
    let mut rows = Rows::new(
        "financial_metrics",
        &[
            "id",
            "organization_id",
            "metric_date",
            "metric_type",
            "region",
            "lob",
            "product",
            "actual_value",
            "forecast_value",
            "budget_value",
            "confidence_lower",
            "confidence_upper",
            "forecast_model",
            "currency",
            "source_system",
            "created_at",
            "updated_at",
        ],
    );
    let mut random = tenant.random("metrics");
    let mut ids = tenant.ids("metrics");
    for offset in 1 - PAST..=FUTURE {
        let day = tenant.month(offset);
        let made = (midnight(day + Months::new(1)) + Duration::hours(74)).min(tenant.now());
        let forecast_made = (midnight(day) - Duration::hours(20)).min(tenant.now());
        for (region, (name, ..)) in REGIONS.into_iter().enumerate() {
            let expected = Base::draw(&mut random, day, offset, region, tenant.volume, 1.0);
            let mut actual = expected.clone();
            for one in injected.iter_mut().filter(|one| one.month == offset && one.region == name) {
                one.apply(&mut actual);
            }
            let (plain, actual) = (expected.points(), actual.points());
            for one in injected.iter_mut().filter(|one| one.month == offset && one.region == name) {
                one.measure(&plain, &actual);
            }
            // The budget knows trend and season, and hopes a little.
            let budget = Base::draw(&mut random, day, offset, region, tenant.volume, 0.0).points();
            let past = offset <= 0;
            let horizon = f64::from(offset.max(0));
            for ((plain, actual), budget) in plain.iter().zip(&actual).zip(&budget) {
                let forecast = plain.value * (1.0 + random.noise(0.012));
                let band = forecast.abs() * (0.05 + 0.012 * horizon);
                let hope = if matches!(plain.metric, "OPERATING_EXPENSE" | "CAC" | "CHURN_RATE") { 0.98 } else { 1.02 };
                let source = match plain.metric {
                    "NRR" | "CHURN_RATE" | "CAC" | "LTV" => "salesforce",
                    _ => "sap",
                };
                let at = if past { made } else { forecast_made };
                rows.push(row![
                    ids.at(at),
                    tenant.id(),
                    day,
                    plain.metric,
                    name,
                    plain.lob,
                    plain.product,
                    past.then(|| cents(actual.value)),
                    cents(forecast),
                    cents(budget.value * hope),
                    cents(forecast - band),
                    cents(forecast + band),
                    FORECASTER,
                    "USD",
                    past.then_some(source),
                    at,
                    at,
                ]);
            }
        }
    }
    rows
}

/// Fills `metric_imports`: a file that was imported by mistake, and taken back the same day.
pub(crate) fn imports(tenant: &Tenant) -> Rows {
    let mut rows = Rows::new(
        "metric_imports",
        &[
            "id",
            "organization_id",
            "source_system",
            "inserted",
            "updated",
            "imported_by",
            "imported_at",
            "undone_by",
            "undone_at",
        ],
    );
    let at = tenant.ago(100.0);
    let importer = tenant.staff(&["FINANCE_MANAGER", "CFO"])[0].id;
    rows.push(row![
        tenant.ids("metric_imports").at(at),
        tenant.id(),
        "sap",
        75,
        0,
        importer,
        at,
        tenant.role("CFO").id,
        tenant.ago(97.5),
    ]);
    rows
}
