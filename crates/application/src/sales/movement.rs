//! What has moved in the pipeline between two days, deal by deal, and what it was and is worth.

use std::collections::BTreeMap;

use aether_store::{
    Result,
    finance::{Days, DealDimension, DealMovement, DealState},
    read::Reader,
};
use rust_decimal::Decimal;

/// How a deal has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveKind {
    /// It came into the pipeline.
    New,
    /// It was closed before, and was opened again.
    Reopened,
    /// It is in a later stage, and open.
    Advanced,
    /// It is in an earlier stage.
    WentBack,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
    /// It is worth more.
    Increased,
    /// It is worth less.
    Decreased,
    /// It is expected to close later.
    Slipped,
    /// It is expected to close earlier.
    PulledIn,
}

/// A deal that has moved.
#[derive(Debug, Clone)]
pub struct Move {
    /// The deal, before and after.
    pub deal: DealMovement,
    /// How it has moved.
    pub kinds: Vec<MoveKind>,
    /// What that changes of the open pipeline's value.
    pub effect: Decimal,
}

/// How many deals, and what they are worth together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    pub deals: i32,
    pub value: Decimal,
}

/// What has moved, in one currency: `opening + new + reopened + increased − decreased − won − lost = closing`, of values and, but for those two,
/// of deals.
#[derive(Debug, Clone, Default)]
pub struct Movement {
    pub slice: Option<String>,
    pub currency: String,
    /// The open deals before.
    pub opening: Sum,
    /// The open deals after.
    pub closing: Sum,
    /// By kind: of those whose value changed the change without its sign, of all others the value after.
    pub sums: BTreeMap<MoveKind, Sum>,
    /// Deals that have moved, those that change most first.
    pub moves: Vec<Move>,
}

impl Sum {
    fn add(&mut self, value: Decimal) {
        self.deals += 1;
        self.value += value;
    }
}

fn is_open(state: &DealState) -> bool {
    !state.stage.starts_with("Closed")
}

/// How a deal has moved, each kind with the value that it counts with.
fn kinds(deal: &DealMovement) -> Vec<(MoveKind, Decimal)> {
    let after = &deal.after;
    let mut kinds = Vec::new();
    match &deal.before {
        None => kinds.push((MoveKind::New, after.value)),
        Some(before) if !is_open(before) => kinds.push((MoveKind::Reopened, after.value)),
        Some(before) => {
            if is_open(after) && after.place != before.place {
                let kind = if after.place > before.place { MoveKind::Advanced } else { MoveKind::WentBack };
                kinds.push((kind, after.value));
            }
            let change = after.value - before.value;
            if !change.is_zero() {
                let kind = if change.is_sign_positive() { MoveKind::Increased } else { MoveKind::Decreased };
                kinds.push((kind, change.abs()));
            }
            if let (true, Some(then), Some(now)) = (is_open(after), before.expected, after.expected)
                && then != now
            {
                kinds.push((if now > then { MoveKind::Slipped } else { MoveKind::PulledIn }, after.value));
            }
        }
    }
    if !is_open(after) {
        kinds.push((if after.stage == "Closed Won" { MoveKind::Won } else { MoveKind::Lost }, after.value));
    }
    kinds
}

/// What has moved in these days, for each currency and slice.
pub async fn movements(reader: &Reader, days: Days, by: Option<DealDimension>) -> Result<Vec<Movement>> {
    Ok(summed(reader.deal_movements(days, by).await?))
}

fn summed(deals: Vec<DealMovement>) -> Vec<Movement> {
    let mut movements: BTreeMap<(Option<String>, String), Movement> = BTreeMap::new();
    for deal in deals {
        let movement = movements.entry((deal.slice.clone(), deal.currency.clone())).or_insert_with(|| Movement {
            slice: deal.slice.clone(),
            currency: deal.currency.clone(),
            ..Movement::default()
        });
        let opening = deal.before.as_ref().filter(|before| is_open(before)).map(|before| before.value);
        let closing = is_open(&deal.after).then_some(deal.after.value);
        if let Some(value) = opening {
            movement.opening.add(value);
        }
        if let Some(value) = closing {
            movement.closing.add(value);
        }
        let kinds = kinds(&deal);
        for (kind, value) in &kinds {
            movement.sums.entry(*kind).or_default().add(*value);
        }
        if !kinds.is_empty() {
            let effect = closing.unwrap_or_default() - opening.unwrap_or_default();
            movement.moves.push(Move { deal, kinds: kinds.into_iter().map(|(kind, _)| kind).collect(), effect });
        }
    }
    let mut movements: Vec<Movement> = movements.into_values().collect();
    for movement in &mut movements {
        // The order of before breaks ties: by value.
        movement.moves.sort_by_key(|moved| std::cmp::Reverse(moved.effect.abs()));
    }
    movements
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const STAGES: [&str; 4] = ["Prospecting", "Proposal", "Closed Won", "Closed Lost"];

    fn state() -> impl Strategy<Value = DealState> {
        (0..4_usize, 0..100_000_i64, proptest::option::of(0..3_u32)).prop_map(|(stage, cents, month)| DealState {
            stage: STAGES[stage].into(),
            place: i32::try_from(stage).unwrap(),
            value: Decimal::new(cents, 2),
            expected: month.and_then(|month| NaiveDate::from_ymd_opt(2026, month + 1, 1)),
        })
    }

    proptest! {
        #[test]
        fn what_comes_and_goes_is_the_difference_to_the_cent(
            states in proptest::collection::vec((proptest::option::of(state()), state()), 0..30),
        ) {
            let deals = states
                .into_iter()
                // As the statement has it: what was closed and stayed so is not told.
                .filter(|(before, after)| is_open(after) || before.as_ref().is_none_or(|before| before.stage != after.stage))
                .map(|(before, after)| DealMovement {
                    id: Uuid::nil(), name: None, owner: None, slice: None, currency: "USD".into(), before, after,
                })
                .collect();
            for movement in summed(deals) {
                let sum = |kind| movement.sums.get(&kind).copied().unwrap_or_default();
                let (new, reopened, won, lost) =
                    (sum(MoveKind::New), sum(MoveKind::Reopened), sum(MoveKind::Won), sum(MoveKind::Lost));
                let (more, less) = (sum(MoveKind::Increased), sum(MoveKind::Decreased));
                prop_assert_eq!(
                    movement.opening.value + new.value + reopened.value + more.value - less.value - won.value - lost.value,
                    movement.closing.value
                );
                prop_assert_eq!(
                    movement.opening.deals + new.deals + reopened.deals - won.deals - lost.deals,
                    movement.closing.deals
                );
                prop_assert_eq!(
                    movement.moves.iter().map(|moved| moved.effect).sum::<Decimal>(),
                    movement.closing.value - movement.opening.value
                );
            }
        }
    }
}
