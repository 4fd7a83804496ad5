//! The assumptions of a scenario as clients write them.

use aether_domain::scenario::{Distribution, Parameters};
use async_graphql::{InputObject, OneofObject};
use rust_decimal::Decimal;

use crate::input::{Plain, Scalar};

/// The assumptions of a scenario: three levers, each a change against today. A lever that is left out does not change.
#[derive(InputObject)]
pub(super) struct ScenarioParametersInput {
    /// Change of investment, in the currency of the organization, within a trillion.
    #[graphql(default_with = "zero()")]
    investment: Scalar<Decimal>,
    /// Change of headcount, in positions, within a million.
    #[graphql(default_with = "zero()")]
    headcount: Scalar<Decimal>,
    /// Change of price, percent, from -100 to 1000.
    #[graphql(default_with = "zero()")]
    price: Scalar<Decimal>,
    /// What the levers are drawn from; a lever without a distribution is fixed.
    #[graphql(default)]
    distributions: DistributionsInput,
}

fn zero() -> Scalar<Decimal> {
    Scalar(Decimal::ZERO)
}

/// What each lever is drawn from.
#[derive(InputObject, Default)]
struct DistributionsInput {
    /// Of the investment, in the currency of the organization.
    investment: Option<DistributionInput>,
    /// Of the headcount, in positions.
    headcount: Option<DistributionInput>,
    /// Of the price, percent.
    price: Option<DistributionInput>,
}

/// What a lever is drawn from: one of these.
#[derive(OneofObject)]
enum DistributionInput {
    /// The normal distribution.
    Normal(NormalInput),
    /// The uniform distribution: every value between two is as likely.
    Uniform(UniformInput),
    /// The triangular distribution.
    Triangular(TriangularInput),
    /// The log-normal distribution, whose values are above zero.
    Lognormal(LognormalInput),
}

/// A normal distribution.
#[derive(InputObject)]
struct NormalInput {
    /// Its mean, in the unit of the lever.
    mean: Scalar<Decimal>,
    /// Its standard deviation, above zero, in the unit of the lever.
    standard_deviation: Scalar<Decimal>,
}

/// A uniform distribution.
#[derive(InputObject)]
struct UniformInput {
    /// The least value, in the unit of the lever.
    min: Scalar<Decimal>,
    /// The greatest value, above the least.
    max: Scalar<Decimal>,
}

/// A triangular distribution.
#[derive(InputObject)]
struct TriangularInput {
    /// The least value, in the unit of the lever.
    min: Scalar<Decimal>,
    /// The most likely value.
    mode: Scalar<Decimal>,
    /// The greatest value.
    max: Scalar<Decimal>,
}

/// A log-normal distribution: the natural logarithm of a value is normally distributed.
#[derive(InputObject)]
struct LognormalInput {
    /// The mean of the logarithm, µ.
    mu: Scalar<Decimal>,
    /// The standard deviation of the logarithm, σ, above zero and at most 5.
    sigma: Scalar<Decimal>,
}

impl From<DistributionInput> for Distribution {
    fn from(input: DistributionInput) -> Self {
        match input {
            DistributionInput::Normal(of) => {
                Self::Normal { mean: of.mean.0, standard_deviation: of.standard_deviation.0 }
            }
            DistributionInput::Uniform(of) => Self::Uniform { min: of.min.0, max: of.max.0 },
            DistributionInput::Triangular(of) => Self::Triangular { min: of.min.0, mode: of.mode.0, max: of.max.0 },
            DistributionInput::Lognormal(of) => Self::Lognormal { mu: of.mu.0, sigma: of.sigma.0 },
        }
    }
}

impl Plain for ScenarioParametersInput {
    type Plain = Parameters;

    fn plain(self) -> Parameters {
        let DistributionsInput { investment, headcount, price } = self.distributions;
        Parameters {
            investment: self.investment.0,
            headcount: self.headcount.0,
            price: self.price.0,
            distributions: [investment, headcount, price].map(|distribution| distribution.map(Into::into)),
        }
    }
}
