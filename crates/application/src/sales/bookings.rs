//! What a difference of what was won is made of: of the number of deals, of what a deal is worth, and of which deals they are.

use aether_domain::metric::apportion;
use aether_store::{
    Result,
    finance::{Closed, Days, DealDimension},
    read::Reader,
};
use rust_decimal::Decimal;

/// What was won in some days and in others, in one currency.
#[derive(Debug, Clone)]
pub struct Bookings {
    pub currency: String,
    /// All of it.
    pub total: BookingsPart,
    /// What it is made of; of each effect the parts add up to that of the total, and the effects of each to its difference.
    pub parts: Vec<BookingsPart>,
}

/// What was won in some days and in others, of all or of a part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BookingsPart {
    /// The owner's name, the region or the segment; none of all, and of deals without one.
    pub slice: Option<String>,
    pub deals: i32,
    pub value: Decimal,
    pub compared_deals: i32,
    pub compared_value: Decimal,
    /// What comes of more or fewer deals, were each worth what it was, and as many of each part in all as there were.
    pub volume: Decimal,
    /// What comes of another value of a deal.
    pub price: Decimal,
    /// What comes of more deals of one part and fewer of another, whose deals are worth more or less.
    pub mix: Decimal,
}

/// What was won in some days against others, for each currency.
pub async fn bookings(reader: &Reader, days: Days, compared: Days, by: DealDimension) -> Result<Vec<Bookings>> {
    let (now, then) = (reader.closed_deals(days, Some(by)).await?, reader.closed_deals(compared, Some(by)).await?);
    let mut currencies: Vec<&str> =
        now.iter().chain(&then).filter(|closed| closed.won > 0).map(|closed| closed.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    Ok(currencies
        .into_iter()
        .map(|currency| {
            let of = |all: &[Closed]| {
                all.iter().filter(|closed| closed.currency == currency && closed.won > 0).cloned().collect::<Vec<_>>()
            };
            compare(currency, &of(&now), &of(&then))
        })
        .collect())
}

/// Volume, price and mix as they are usually told apart. With the number of deals `q` and their mean value `p` of each part, now (1) and then (0),
/// and `Q`, `P` of all: `q0 · (Q1/Q0 − 1) · p0` · `q1 · (p1 − p0)` · `(q1 − q0 · Q1/Q0) · p0`. Of a part that had no deals then `p0` is `P0`.
/// Where there were no deals at all then, or none now, all is volume.
fn compare(currency: &str, now: &[Closed], then: &[Closed]) -> Bookings {
    let mut slices: Vec<Option<&str>> = now.iter().chain(then).map(|closed| closed.slice.as_deref()).collect();
    slices.sort_unstable();
    slices.dedup();
    let find = |all: &[Closed], slice: Option<&str>| {
        let found = all.iter().find(|closed| closed.slice.as_deref() == slice);
        found.map_or((0, Decimal::ZERO), |closed| (closed.won, closed.won_value.unwrap_or_default()))
    };
    let sum = |all: &[Closed]| {
        all.iter().fold((0, Decimal::ZERO), |(deals, value), closed| {
            (deals + closed.won, value + closed.won_value.unwrap_or_default())
        })
    };
    let (all_now, all_then) = (sum(now), sum(then));
    let mut parts: Vec<BookingsPart> = slices
        .into_iter()
        .map(|slice| {
            let ((deals, value), (compared_deals, compared_value)) = (find(now, slice), find(then, slice));
            BookingsPart {
                slice: slice.map(ToOwned::to_owned),
                deals,
                value,
                compared_deals,
                compared_value,
                ..BookingsPart::default()
            }
        })
        .collect();
    for part in &mut parts {
        // To the cent, so that they add up to the part's difference, and all parts to the whole.
        let effects = apportion(&effects(part, all_now.0, all_then), 2);
        [part.volume, part.price, part.mix] = [effects[0], effects[1], effects[2]];
    }
    let of_all = |of: fn(&BookingsPart) -> Decimal| parts.iter().map(of).sum::<Decimal>();
    let total = BookingsPart {
        slice: None,
        deals: all_now.0,
        value: all_now.1,
        compared_deals: all_then.0,
        compared_value: all_then.1,
        volume: of_all(|part| part.volume),
        price: of_all(|part| part.price),
        mix: of_all(|part| part.mix),
    };
    Bookings { currency: currency.to_owned(), total, parts }
}

fn effects(part: &BookingsPart, all_now: i32, (all_then, value_then): (i32, Decimal)) -> [Decimal; 3] {
    if all_now == 0 || all_then == 0 {
        return [part.value - part.compared_value, Decimal::ZERO, Decimal::ZERO];
    }
    let (now, then) = (Decimal::from(part.deals), Decimal::from(part.compared_deals));
    let mean_then =
        if part.compared_deals > 0 { part.compared_value / then } else { value_then / Decimal::from(all_then) };
    // As many as there would be now, were all as they were.
    let alike = then * Decimal::from(all_now) / Decimal::from(all_then);
    let volume = (alike - then) * mean_then;
    let mix = (now - alike) * mean_then;
    // What is left, so that rounding of the means takes nothing away.
    [volume, part.value - part.compared_value - volume - mix, mix]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn closed(slice: Option<&str>, won: i32, cents: i64) -> Closed {
        Closed {
            slice: slice.map(ToOwned::to_owned),
            currency: "USD".into(),
            won,
            lost: 0,
            won_value: Some(Decimal::new(cents, 2)),
            lost_value: None,
            days_to_win: None,
        }
    }

    /// By hand: 10 deals of 100 and 10 of 200 become 15 of 110 and 15 of 200: twenty to thirty deals are half as many again.
    #[test]
    fn volume_price_and_mix_as_on_paper() {
        let then = [closed(Some("A"), 10, 100_000), closed(Some("B"), 10, 200_000)];
        let now = [closed(Some("A"), 15, 165_000), closed(Some("B"), 15, 300_000)];
        let Bookings { total, parts, .. } = compare("USD", &now, &then);
        assert_eq!((total.volume, total.price, total.mix), (1_500.into(), 150.into(), Decimal::ZERO));
        assert_eq!((parts[0].volume, parts[0].price, parts[0].mix), (500.into(), 150.into(), 0.into()));
        // As many deals, of which more are the greater ones.
        let now = [closed(Some("A"), 5, 50_000), closed(Some("B"), 15, 300_000)];
        let Bookings { total, parts, .. } = compare("USD", &now, &then);
        assert_eq!((total.volume, total.price, total.mix), (0.into(), 0.into(), 500.into()));
        assert_eq!((parts[0].mix, parts[1].mix), ((-500).into(), 1_000.into()));
    }

    proptest! {
        #[test]
        fn effects_add_up_to_the_cent(
            now in proptest::collection::vec(proptest::option::of((1..50_i32, 1..10_000_000_i64)), 4),
            then in proptest::collection::vec(proptest::option::of((1..50_i32, 1..10_000_000_i64)), 4),
        ) {
            let names = ["A", "B", "C", "D"];
            let all = |of: Vec<Option<(i32, i64)>>| {
                let named = names.iter().zip(of);
                named.filter_map(|(name, of)| of.map(|(won, cents)| closed(Some(name), won, cents))).collect::<Vec<_>>()
            };
            let Bookings { total, parts, .. } = compare("USD", &all(now), &all(then));
            prop_assert_eq!(total.volume + total.price + total.mix, total.value - total.compared_value);
            for part in parts {
                let difference = part.value - part.compared_value;
                prop_assert_eq!(part.volume + part.price + part.mix, difference);
            }
        }
    }
}
