//! The metrics of the financial series: their kinds, and the lines in which they are imported.

mod comparison;
mod import;

pub use self::comparison::{Comparison, Status, apportion};
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

/// In what a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An amount in the currency of the value.
    Amount,
    /// An amount per customer, in the currency of the value.
    AmountPerCustomer,
    /// Percent: `3.25` is 3.25 %.
    Percent,
}

/// What becomes of a metric's values when they are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// They add up, over time as well: what is earned or spent.
    Flow,
    /// They add up on one day; over time the last counts: what there is.
    Stock,
    /// They do not add up: they are worked out anew, or weighted.
    Ratio,
}

impl Kind {
    /// What becomes of its values when they are taken together.
    #[must_use]
    pub const fn nature(self) -> Nature {
        match self {
            Self::Revenue | Self::Ebitda | Self::OperatingExpense | Self::CashFlow | Self::NetIncome => Nature::Flow,
            Self::Arr | Self::Mrr => Nature::Stock,
            Self::GrossMargin | Self::Cac | Self::Ltv | Self::Nrr | Self::ChurnRate => Nature::Ratio,
        }
    }

    /// In what its values are.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::GrossMargin | Self::Nrr | Self::ChurnRate => Unit::Percent,
            Self::Cac | Self::Ltv => Unit::AmountPerCustomer,
            _ => Unit::Amount,
        }
    }

    /// Whether more of it is worse: costs, and what is lost.
    #[must_use]
    pub const fn is_cost(self) -> bool {
        matches!(self, Self::OperatingExpense | Self::Cac | Self::ChurnRate)
    }

    /// What a ratio is weighted by: what it is a share of. The first that is recorded counts.
    #[must_use]
    pub const fn bases(self) -> &'static [Self] {
        match self {
            Self::GrossMargin => &[Self::Revenue],
            Self::Nrr | Self::ChurnRate => &[Self::Mrr, Self::Arr],
            _ => &[],
        }
    }

    /// Reads a name as people write it; case, spaces and hyphens do not matter.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::from_name(&name.trim().to_uppercase().replace([' ', '-'], "_"))
    }
}
