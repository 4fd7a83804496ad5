//! The assumptions of a what-if scenario: three levers, each a change against today, and what each may be drawn from.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Map, Value};

/// How many digits a number may have: what JSON carries without loss.
const MOST_DIGITS: u32 = 15;

/// What a scenario changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lever {
    /// Investment, an amount in the currency of the organization.
    Investment,
    /// Headcount, in positions.
    Headcount,
    /// Price, in percent.
    Price,
}

impl Lever {
    /// Every lever.
    pub const ALL: [Self; 3] = [Self::Investment, Self::Headcount, Self::Price];

    /// As it is stored, and as a path names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investment => "investment",
            Self::Headcount => "headcount",
            Self::Price => "price",
        }
    }

    /// The least and the greatest change.
    #[must_use]
    pub fn range(self) -> (Decimal, Decimal) {
        let (least, greatest) = match self {
            Self::Investment => (-1_000_000_000_000_i64, 1_000_000_000_000_i64),
            Self::Headcount => (-1_000_000, 1_000_000),
            // A price cannot fall by more than all of it.
            Self::Price => (-100, 1_000),
        };
        (least.into(), greatest.into())
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Investment => "in the currency of the organization",
            Self::Headcount => "positions",
            Self::Price => "percent",
        }
    }
}

/// What a lever is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// The normal distribution.
    Normal {
        /// In the unit of what is drawn.
        mean: Decimal,
        /// Its standard deviation, above zero.
        standard_deviation: Decimal,
    },
    /// The uniform distribution: every value between two is as likely.
    Uniform {
        /// The least value.
        min: Decimal,
        /// The greatest value.
        max: Decimal,
    },
    /// The triangular distribution.
    Triangular {
        /// The least value.
        min: Decimal,
        /// The most likely value.
        mode: Decimal,
        /// The greatest value.
        max: Decimal,
    },
    /// The log-normal distribution: the logarithm of a value is normally distributed, so that values are above zero.
    Lognormal {
        /// The mean of the logarithm.
        mu: Decimal,
        /// The standard deviation of the logarithm, above zero.
        sigma: Decimal,
    },
}

impl Distribution {
    /// Its name and its parameters, as they are stored.
    fn parts(self) -> (&'static str, Vec<(&'static str, Decimal)>) {
        match self {
            Self::Normal { mean, standard_deviation } => {
                ("normal", vec![("mean", mean), ("standardDeviation", standard_deviation)])
            }
            Self::Uniform { min, max } => ("uniform", vec![("min", min), ("max", max)]),
            Self::Triangular { min, mode, max } => ("triangular", vec![("min", min), ("mode", mode), ("max", max)]),
            Self::Lognormal { mu, sigma } => ("lognormal", vec![("mu", mu), ("sigma", sigma)]),
        }
    }

    fn check(self, lever: Lever) -> Result<(), (&'static str, String)> {
        let (least, greatest) = lever.range();
        let outside = |value: Decimal| value < least || value > greatest;
        let wrong = |name, message: &str| Err((name, message.to_owned()));
        for (name, value) in self.parts().1 {
            if digits(value) > MOST_DIGITS {
                return Err((name, too_long()));
            }
        }
        let of_lever = match self {
            Self::Normal { mean, .. } => vec![("mean", mean)],
            Self::Lognormal { .. } => vec![],
            Self::Uniform { .. } | Self::Triangular { .. } => self.parts().1,
        };
        for (name, value) in of_lever {
            if outside(value) {
                return Err((name, out_of_range(lever)));
            }
        }
        match self {
            Self::Normal { standard_deviation, .. } if standard_deviation <= Decimal::ZERO => {
                wrong("standardDeviation", "A standard deviation is above zero.")
            }
            Self::Normal { standard_deviation, .. } if standard_deviation > greatest => {
                Err(("standardDeviation", out_of_range(lever)))
            }
            Self::Uniform { min, max } if min >= max => wrong("max", "The greatest value must be above the least."),
            Self::Triangular { min, mode, .. } if mode < min => {
                wrong("mode", "The most likely value must not be below the least.")
            }
            Self::Triangular { mode, max, .. } if mode > max => {
                wrong("mode", "The most likely value must not be above the greatest.")
            }
            Self::Triangular { min, max, .. } if min >= max => {
                wrong("max", "The greatest value must be above the least.")
            }
            Self::Lognormal { sigma, .. } if sigma <= Decimal::ZERO => {
                wrong("sigma", "The standard deviation of the logarithm is above zero.")
            }
            Self::Lognormal { sigma, .. } if sigma > Decimal::from(5) => {
                wrong("sigma", "The standard deviation of the logarithm is at most 5.")
            }
            // The mean of what is drawn is e^(µ + σ²/2).
            Self::Lognormal { mu, sigma }
                if mu > Decimal::ONE_HUNDRED
                    || (mu + sigma * sigma / Decimal::TWO).to_f64().unwrap_or(f64::INFINITY)
                        > greatest.to_f64().unwrap_or_default().ln() =>
            {
                wrong(
                    "mu",
                    &format!("The mean of such a distribution is too large: at most {greatest} {}.", lever.unit()),
                )
            }
            Self::Lognormal { mu, .. } if mu < Decimal::NEGATIVE_ONE * Decimal::ONE_HUNDRED => {
                wrong("mu", "The mean of the logarithm is at least -100.")
            }
            _ => Ok(()),
        }
    }
}

/// The assumptions of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Change of investment, in the currency of the organization.
    pub investment: Decimal,
    /// Change of headcount, in positions.
    pub headcount: Decimal,
    /// Change of price, in percent.
    pub price: Decimal,
    /// What the levers are drawn from, in the order of [`Lever::ALL`]; without one a lever is fixed.
    pub distributions: [Option<Distribution>; 3],
}

/// What is wrong with assumptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which of them, as a path such as `distributions.price.min`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Parameters {
    /// The change of a lever.
    #[must_use]
    pub const fn lever(&self, lever: Lever) -> Decimal {
        match lever {
            Lever::Investment => self.investment,
            Lever::Headcount => self.headcount,
            Lever::Price => self.price,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self) -> Result<(), Problem> {
        for (lever, distribution) in Lever::ALL.into_iter().zip(self.distributions) {
            let (value, (least, greatest)) = (self.lever(lever), lever.range());
            let name = lever.as_str();
            if value < least || value > greatest {
                return Err(Problem { path: name.into(), message: out_of_range(lever) });
            }
            if digits(value) > MOST_DIGITS {
                return Err(Problem { path: name.into(), message: too_long() });
            }
            if let Some(Err((parameter, message))) = distribution.map(|distribution| distribution.check(lever)) {
                let kind = distribution.map_or("", |distribution| distribution.parts().0);
                return Err(Problem { path: format!("distributions.{name}.{kind}.{parameter}"), message });
            }
        }
        Ok(())
    }

    /// As they are stored.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut distributions = Map::new();
        for (lever, distribution) in Lever::ALL.into_iter().zip(self.distributions) {
            if let Some(distribution) = distribution {
                let (kind, parameters) = distribution.parts();
                let mut json = Map::from_iter([("type".to_owned(), kind.into())]);
                json.extend(parameters.into_iter().map(|(name, value)| (name.to_owned(), number(value))));
                distributions.insert(lever.as_str().to_owned(), json.into());
            }
        }
        let mut json: Map<_, _> =
            Lever::ALL.into_iter().map(|lever| (lever.as_str().to_owned(), number(self.lever(lever)))).collect();
        json.insert("distributions".to_owned(), distributions.into());
        json.into()
    }

    /// Reads what is stored; `None` if it is not what [`Parameters::to_json`] writes, or wrong.
    #[must_use]
    pub fn from_json(json: &Value) -> Option<Self> {
        let lever = |lever: Lever| decimal(json.get(lever.as_str())?);
        let mut parameters = Self {
            investment: lever(Lever::Investment)?,
            headcount: lever(Lever::Headcount)?,
            price: lever(Lever::Price)?,
            distributions: [None; 3],
        };
        for (place, lever) in Lever::ALL.into_iter().enumerate() {
            if let Some(json) = json.get("distributions").and_then(|all| all.get(lever.as_str())) {
                let get = |name: &str| decimal(json.get(name)?);
                parameters.distributions[place] = Some(match json.get("type")?.as_str()? {
                    "normal" => {
                        Distribution::Normal { mean: get("mean")?, standard_deviation: get("standardDeviation")? }
                    }
                    "uniform" => Distribution::Uniform { min: get("min")?, max: get("max")? },
                    "triangular" => Distribution::Triangular { min: get("min")?, mode: get("mode")?, max: get("max")? },
                    "lognormal" => Distribution::Lognormal { mu: get("mu")?, sigma: get("sigma")? },
                    _ => return None,
                });
            }
        }
        parameters.check().ok().map(|()| parameters)
    }
}

fn out_of_range(lever: Lever) -> String {
    let (least, greatest) = lever.range();
    format!("This must be between {least} and {greatest} {}.", lever.unit())
}

fn too_long() -> String {
    format!("A number has at most {MOST_DIGITS} digits.")
}

fn digits(value: Decimal) -> u32 {
    value.normalize().mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log + 1).max(value.normalize().scale())
}

fn number(value: Decimal) -> Value {
    match (value.normalize().scale(), value.to_i64(), value.to_f64()) {
        (0, Some(whole), _) => whole.into(),
        (_, _, Some(float)) => float.into(),
        _ => Value::Null,
    }
}

fn decimal(json: &Value) -> Option<Decimal> {
    let text = json.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(distribution: Distribution) -> Parameters {
        Parameters { distributions: [None, None, Some(distribution)], ..Parameters::default() }
    }

    fn path(parameters: &Parameters) -> String {
        parameters.check().map_or_else(|problem| problem.path, |()| String::new())
    }

    #[test]
    fn numbers_are_within_reason() {
        let d = |text: &str| text.parse::<Decimal>().expect("a number");
        assert_eq!(path(&Parameters::default()), "");
        assert_eq!(path(&Parameters { price: d("-100.01"), ..Parameters::default() }), "price");
        assert_eq!(path(&Parameters { investment: d("1000000000001"), ..Parameters::default() }), "investment");
        assert_eq!(path(&Parameters { headcount: d("1.000000000000001"), ..Parameters::default() }), "headcount");
        for (distribution, expected) in [
            (Distribution::Normal { mean: d("5"), standard_deviation: d("0.5") }, ""),
            (Distribution::Normal { mean: d("5"), standard_deviation: d("0") }, "normal.standardDeviation"),
            (Distribution::Normal { mean: d("-101"), standard_deviation: d("1") }, "normal.mean"),
            (Distribution::Uniform { min: d("1"), max: d("1") }, "uniform.max"),
            (Distribution::Uniform { min: d("-5"), max: d("1001") }, "uniform.max"),
            (Distribution::Triangular { min: d("0"), mode: d("0"), max: d("3") }, ""),
            (Distribution::Triangular { min: d("0"), mode: d("-1"), max: d("3") }, "triangular.mode"),
            (Distribution::Triangular { min: d("0"), mode: d("4"), max: d("3") }, "triangular.mode"),
            (Distribution::Triangular { min: d("3"), mode: d("3"), max: d("3") }, "triangular.max"),
            (Distribution::Lognormal { mu: d("1.6"), sigma: d("0.25") }, ""),
            (Distribution::Lognormal { mu: d("1.6"), sigma: d("-1") }, "lognormal.sigma"),
            (Distribution::Lognormal { mu: d("7"), sigma: d("0.1") }, "lognormal.mu"),
            (Distribution::Lognormal { mu: d("79000000000000"), sigma: d("5") }, "lognormal.mu"),
        ] {
            let expected = if expected.is_empty() { String::new() } else { format!("distributions.price.{expected}") };
            assert_eq!(path(&with(distribution)), expected, "{distribution:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_again(
            levers in [-99_999_i64..99_999, -99_999_i64..99_999, -9_999_i64..99_999],
            low in -9_999_i64..0, wide in 1_i64..9_999, kind in 0_usize..5,
        ) {
            let [investment, headcount, price] = levers.map(|value| Decimal::new(value, 2));
            let (low, wide) = (Decimal::new(low, 2), Decimal::new(wide, 2));
            let distribution = match kind {
                0 => None,
                1 => Some(Distribution::Normal { mean: low, standard_deviation: wide }),
                2 => Some(Distribution::Uniform { min: low, max: low + wide }),
                3 => Some(Distribution::Triangular { min: low, mode: low + wide / Decimal::TWO, max: low + wide }),
                _ => Some(Distribution::Lognormal { mu: low, sigma: Decimal::new(50, 2) }),
            };
            let parameters = Parameters { investment, headcount, price, distributions: [None, distribution, distribution] };
            prop_assert_eq!(parameters.check(), Ok(()));
            prop_assert_eq!(Parameters::from_json(&parameters.to_json()), Some(parameters));
        }
    }
}
