//! How the spend on vendors has grown from some months to others, and who moved it.

use aether_domain::metric::apportion;
use aether_store::{
    Result,
    finance::{Months, Spend, SpendDimension},
    read::Reader,
};
use rust_decimal::Decimal;

/// How spend has grown.
pub struct SpendGrowth {
    pub currency: String,
    /// All of it.
    pub total: Moved,
    /// Those whose spend changed most, in that order.
    pub movers: Vec<Moved>,
    /// All others together; none where there are none.
    pub others: Option<Moved>,
}

/// Spend that has changed.
pub struct Moved {
    pub spend: Spend,
    /// What it adds to the growth of all, in points of what all was before; none where nothing was spent then.
    pub contribution: Option<Decimal>,
}

/// To how many places contributions are told.
const PLACES: u32 = 4;

/// How spend has grown from some months to others, with so many of those that moved it most.
pub async fn growth(
    reader: &Reader,
    months: Months,
    compared: Months,
    by: SpendDimension,
    first: usize,
) -> Result<SpendGrowth> {
    let (currency, mut movers) = reader.vendor_spend(months, compared, by).await?;
    // Those that changed alike stay in the order of their names.
    movers.sort_by_key(|spend| std::cmp::Reverse(change(spend).abs()));
    let total = sum(&movers);
    let others = movers.split_off(first.min(movers.len()));
    let has_others = !others.is_empty();
    movers.extend(has_others.then(|| sum(&others)));
    // Rounded so that they add up to that of all.
    let of_each = total.compared.and_then(|whole| {
        let points = |spend: &Spend| change(spend).checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole.abs());
        movers.iter().map(points).collect::<Option<Vec<_>>>().map(|points| apportion(&points, PLACES))
    });
    let of_all = of_each.as_ref().map(|points| points.iter().sum());
    let mut movers: Vec<Moved> = movers
        .into_iter()
        .enumerate()
        .map(|(place, spend)| Moved { spend, contribution: of_each.as_ref().map(|points| points[place]) })
        .collect();
    let others = if has_others { movers.pop() } else { None };
    Ok(SpendGrowth { currency, total: Moved { spend: total, contribution: of_all }, movers, others })
}

/// How much more was spent.
fn change(spend: &Spend) -> Decimal {
    spend.spent.unwrap_or_default() - spend.compared.unwrap_or_default()
}

fn sum(all: &[Spend]) -> Spend {
    let add = |sum: &mut Option<Decimal>, value: Option<Decimal>| {
        if let Some(value) = value {
            *sum = Some(sum.unwrap_or_default() + value);
        }
    };
    let mut sum = Spend::default();
    for spend in all {
        add(&mut sum.spent, spend.spent);
        add(&mut sum.budget, spend.budget);
        add(&mut sum.compared, spend.compared);
        sum.months += spend.months;
        sum.compared_months += spend.compared_months;
    }
    sum
}
