//! The metrics of the financial series: their kinds, and the lines in which they are imported.

mod import;

pub use self::import::{
    Forecast, MOST_LINES, MetricKey, MetricLine, format_metrics, parse_metrics, parse_some_metrics,
};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// The kind of a metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $($(#[doc = $doc])+ $kind,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// As it is stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }
        }
    };
}

kinds! {
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

impl Kind {
    /// Reads a name; case, spaces and hyphens do not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim().to_uppercase().replace([' ', '-'], "_");
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}
