//! The metrics of the financial series: their kinds, and the lines in which they are imported.

mod import;

pub use self::import::{Forecast, MOST_LINES, MetricKey, MetricLine, parse_metrics, parse_some_metrics};

stored! {
    /// The kind of a metric.
    #[derive(PartialOrd, Ord)]
    pub enum Kind {
        /// Revenue, an amount.
        Revenue = "REVENUE",
        /// Annual recurring revenue, an amount.
        Arr = "ARR",
        /// Monthly recurring revenue, an amount.
        Mrr = "MRR",
        /// Earnings before interest, taxes, depreciation and amortization, an amount.
        Ebitda = "EBITDA",
        /// Gross profit in percent of revenue.
        GrossMargin = "GROSS_MARGIN",
        /// The cost of running the business, an amount.
        OperatingExpense = "OPERATING_EXPENSE",
        /// Cash received less cash paid, an amount.
        CashFlow = "CASH_FLOW",
        /// Profit after all costs and taxes, an amount.
        NetIncome = "NET_INCOME",
        /// Customer acquisition cost, an amount per customer.
        Cac = "CAC",
        /// Customer lifetime value, an amount per customer.
        Ltv = "LTV",
        /// Net revenue retention in percent.
        Nrr = "NRR",
        /// Customers or revenue lost, in percent.
        ChurnRate = "CHURN_RATE",
    }
}

impl Kind {
    /// Reads a name as people write it; case, spaces and hyphens do not matter.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::from_name(&name.trim().to_uppercase().replace([' ', '-'], "_"))
    }
}
