//! What has moved in the pipeline, and what a difference of bookings is made of.

use aether_application::sales::{
    bookings,
    movement::{self, Move, MoveKind, Sum},
};
use aether_entity::sea_orm_active_enums::DealStage;
use aether_store::{
    Error,
    finance::{Days, DealState},
};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::figures::{DealDimension, days};
use crate::{
    decimals::with_places,
    error::Failure,
    input::{Choice, Scalar, day, year_before},
    run::reader,
};

/// How many moves are told at once at most.
const MOST_MOVES: i32 = 500;

/// Asking what has moved in the pipeline.
#[derive(Default)]
pub(crate) struct MovementQuery;

#[Object]
impl MovementQuery {
    /// What has moved in the pipeline from the beginning of one day to the end of another, deal by deal, one answer for each currency: as two
    /// snapshots on the days before and after would show it.
    ///
    /// Each deal is taken as it was and as it is, out of its history; what was undone between does not show. Of values
    /// `opening + new + reopened + increased − decreased − won − lost = closing`, to the cent. Owner, region, segment and currency are those of
    /// now. Deals that were deleted have no history.
    async fn pipeline_movement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] since: Scalar<NaiveDate>,
        #[graphql(desc = "The last day; today unless given.")] until: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "One answer for each of these; all together unless given.")] by: Option<DealDimension>,
    ) -> Result<Vec<PipelineMovement>> {
        let days = days(since, until)?;
        let movements = movement::movements(reader(ctx), days, by.map(Into::into)).await.map_err(Failure)?;
        Ok(movements.into_iter().map(PipelineMovement).collect())
    }

    /// What the difference of what was won in these days from what was won in others is made of, one answer for each currency: of the number of
    /// deals (volume), of what a deal is worth (price), and of which deals they are (mix).
    ///
    /// With the number of deals `q` and their mean value `p` of each part, in these days (1) and in the others (0), and `Q`, `P` of all: volume is
    /// `q0 · (Q1/Q0 − 1) · p0`, price `q1 · (p1 − p0)`, mix `(q1 − q0 · Q1/Q0) · p0`; of a part without deals in the others `p0` is `P0`. They add up to
    /// the difference to the cent, of each part and of all.
    async fn bookings_variance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] since: Scalar<NaiveDate>,
        #[graphql(desc = "The last day.")] until: Scalar<NaiveDate>,
        #[graphql(desc = "The first day to compare with; a year before `since` unless given.")] compared_since: Option<
            Scalar<NaiveDate>,
        >,
        #[graphql(desc = "The last day to compare with; a year before `until` unless given.")] compared_until: Option<
            Scalar<NaiveDate>,
        >,
        #[graphql(desc = "What the parts are.", default_with = "DealDimension::Segment")] by: DealDimension,
    ) -> Result<Vec<BookingsVariance>> {
        let (first, last) = (since.0, until.0);
        let days = days(since, Some(until))?;
        let compared = (
            compared_since.map_or_else(|| year_before("since", first), |since| day("comparedSince", since))?,
            compared_until.map_or_else(|| year_before("since", last), |until| day("comparedUntil", until))?,
        );
        if compared.1 < compared.0 {
            return Err(Failure(Error::invalid("comparedUntil", "The last day is before the first.")).into());
        }
        let compared = Days { first: compared.0, last: Some(compared.1) };
        let found = bookings::bookings(reader(ctx), days, compared, by.into()).await;
        Ok(found.map_err(Failure)?.into_iter().map(BookingsVariance::of).collect())
    }
}

/// How a deal has moved.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_application::sales::movement::MoveKind")]
enum DealMoveKind {
    /// It came into the pipeline.
    New,
    /// It was closed before, and was opened again.
    Reopened,
    /// It is in a later stage, and open.
    Advanced,
    /// It is in an earlier stage, and open.
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

/// How many deals, and what they are worth together.
#[derive(SimpleObject)]
struct DealTotal {
    /// How many deals.
    deals: i32,
    /// Their value.
    value: Scalar<Decimal>,
}

impl From<Sum> for DealTotal {
    fn from(sum: Sum) -> Self {
        Self { deals: sum.deals, value: with_places(sum.value, 2) }
    }
}

/// What has moved in the pipeline, in one currency.
struct PipelineMovement(movement::Movement);

impl PipelineMovement {
    fn sum(&self, kind: MoveKind) -> DealTotal {
        self.0.sums.get(&kind).copied().unwrap_or_default().into()
    }
}

/// What has moved in the pipeline, in one currency.
#[Object]
impl PipelineMovement {
    /// The owner's name, the region or the segment, as it was asked for; null for all together, and of deals without one.
    async fn slice(&self) -> Option<&str> {
        self.0.slice.as_deref()
    }

    /// The currency of the values (ISO 4217).
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The deals that were open at the beginning.
    async fn opening(&self) -> DealTotal {
        self.0.opening.into()
    }

    /// Those that came, whatever became of them since.
    async fn new(&self) -> DealTotal {
        self.sum(MoveKind::New)
    }

    /// Those that were closed and were opened again.
    async fn reopened(&self) -> DealTotal {
        self.sum(MoveKind::Reopened)
    }

    /// Those that are worth more, with how much more.
    async fn increased(&self) -> DealTotal {
        self.sum(MoveKind::Increased)
    }

    /// Those that are worth less, with how much less.
    async fn decreased(&self) -> DealTotal {
        self.sum(MoveKind::Decreased)
    }

    /// Those that were won.
    async fn won(&self) -> DealTotal {
        self.sum(MoveKind::Won)
    }

    /// Those that were lost.
    async fn lost(&self) -> DealTotal {
        self.sum(MoveKind::Lost)
    }

    /// The deals that are open at the end.
    async fn closing(&self) -> DealTotal {
        self.0.closing.into()
    }

    /// Those that are in a later stage, and open.
    async fn advanced(&self) -> DealTotal {
        self.sum(MoveKind::Advanced)
    }

    /// Those that are in an earlier stage, and open.
    async fn went_back(&self) -> DealTotal {
        self.sum(MoveKind::WentBack)
    }

    /// Open ones that are expected to close later.
    async fn slipped(&self) -> DealTotal {
        self.sum(MoveKind::Slipped)
    }

    /// Open ones that are expected to close earlier.
    async fn pulled_in(&self) -> DealTotal {
        self.sum(MoveKind::PulledIn)
    }

    /// The deals that have moved, those first that change the open pipeline most.
    async fn moves(
        &self,
        #[graphql(desc = "Only those that have moved in one of these ways; all unless given.")] kinds: Option<
            Vec<DealMoveKind>,
        >,
        #[graphql(desc = "How many, up to 500.", default = 50)] first: i32,
    ) -> Result<Vec<DealMove>> {
        if !(0..=MOST_MOVES).contains(&first) {
            return Err(Failure(Error::invalid("first", format!("`first` must be from 0 to {MOST_MOVES}."))).into());
        }
        let kinds: Option<Vec<MoveKind>> = kinds.map(|kinds| kinds.into_iter().map(Into::into).collect());
        let is_asked =
            |moved: &&Move| kinds.as_ref().is_none_or(|kinds| moved.kinds.iter().any(|kind| kinds.contains(kind)));
        let moves = self.0.moves.iter().filter(is_asked).take(usize::try_from(first).unwrap_or_default());
        moves.map(DealMove::of).collect()
    }
}

/// A deal that has moved.
#[derive(SimpleObject)]
struct DealMove {
    /// The deal.
    deal_id: Uuid,
    /// Its name.
    name: Option<String>,
    /// Its owner's name.
    owner: Option<String>,
    /// How it has moved.
    kinds: Vec<DealMoveKind>,
    /// How it was at the beginning; null where it was not there.
    before: Option<DealStanding>,
    /// How it is at the end.
    after: DealStanding,
    /// What that changes of the open pipeline's value.
    effect: Scalar<Decimal>,
}

/// How a deal was at a moment.
#[derive(SimpleObject)]
struct DealStanding {
    /// The stage.
    stage: Choice<DealStage>,
    /// The value.
    value: Scalar<Decimal>,
    /// When it was expected to close.
    expected_close_date: Option<Scalar<NaiveDate>>,
}

impl DealMove {
    fn of(moved: &Move) -> Result<Self> {
        let Move { deal, kinds, effect } = moved;
        Ok(Self {
            deal_id: deal.id,
            name: deal.name.clone(),
            owner: deal.owner.clone(),
            kinds: kinds.iter().copied().map(Into::into).collect(),
            before: deal.before.as_ref().map(DealStanding::of).transpose()?,
            after: DealStanding::of(&deal.after)?,
            effect: with_places(*effect, 2),
        })
    }
}

impl DealStanding {
    fn of(state: &DealState) -> Result<Self> {
        Ok(Self {
            stage: Choice::of_label(&state.stage)?,
            value: with_places(state.value, 2),
            expected_close_date: state.expected.map(Scalar),
        })
    }
}

/// What a difference of bookings is made of, in one currency.
#[derive(SimpleObject)]
struct BookingsVariance {
    /// The currency of the values (ISO 4217).
    currency: String,
    /// All of it.
    total: BookingsPart,
    /// What it is made of.
    parts: Vec<BookingsPart>,
}

/// What was won in some days and in others.
#[derive(SimpleObject)]
struct BookingsPart {
    /// The owner's name, the region or the segment; null for the total, and of deals without one.
    slice: Option<String>,
    /// How many deals were won.
    deals: i32,
    /// Their value.
    value: Scalar<Decimal>,
    /// How many were won in the days that they are compared with.
    compared_deals: i32,
    /// Their value.
    compared_value: Scalar<Decimal>,
    /// The one value less the other.
    difference: Scalar<Decimal>,
    /// What of it comes of more or fewer deals.
    volume_effect: Scalar<Decimal>,
    /// What of it comes of another value of a deal.
    price_effect: Scalar<Decimal>,
    /// What of it comes of more deals of one part and fewer of another.
    mix_effect: Scalar<Decimal>,
}

impl BookingsVariance {
    fn of(bookings: bookings::Bookings) -> Self {
        let parts = bookings.parts.into_iter().map(BookingsPart::of).collect();
        Self { currency: bookings.currency, total: BookingsPart::of(bookings.total), parts }
    }
}

impl BookingsPart {
    fn of(part: bookings::BookingsPart) -> Self {
        let cents = |value| with_places(value, 2);
        Self {
            slice: part.slice,
            deals: part.deals,
            value: cents(part.value),
            compared_deals: part.compared_deals,
            compared_value: cents(part.compared_value),
            difference: cents(part.value - part.compared_value),
            volume_effect: cents(part.volume),
            price_effect: cents(part.price),
            mix_effect: cents(part.mix),
        }
    }
}
