//! The syndicated-loan data: three facility agreements, each with the whole life of its workspace.
//!
//! The agreements are written in `data/`. Everything else follows from them: who is in the workspace (`parties`),
//! what has happened there (`timeline`) and how the clauses depend on each other (`graph`).

mod agreement;
mod golden;
mod graph;
mod markup;
mod members;
mod papers;
mod parties;
mod simulator;
mod tables;
#[cfg(test)]
mod tests;
mod timeline;

use chrono::{Duration, NaiveDate};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::copy::Rows;
use crate::ids::Ids;
use crate::people::People;
use crate::tenant::midnight;

/// Makes the loan data that ends on a day, in the order in which the tables can be filled. More than one copy repeats
/// the three agreements, at other sizes, as further workspaces with the same members.
#[must_use]
pub fn generate(
    people: &People,
    (ids, rng): (&mut Ids, &mut ChaCha8Rng),
    encrypt: &dyn Fn(&[u8]) -> Vec<u8>,
    today: NaiveDate,
    copies: u32,
) -> Vec<Rows> {
    let ends = midnight(today);
    let mut tables = tables::Tables::new();
    for (original, parties) in agreement::all().iter().zip(&parties::CASTS) {
        // Money is all that varies, so one graph serves every copy.
        let graph = graph::of(original);
        for copy in 1..=copies {
            let mut age = Duration::days(parties.age);
            let varied;
            let mut agreement = original;
            if copy > 1 {
                age += Duration::days(rng.random_range(0..200));
                varied = original.varied(rng.random_range(12..40), &format!(" (copy {copy})"));
                agreement = &varied;
            }
            let opened = ends - age;
            timeline::simulate(&mut simulator::Simulator::new(
                (parties, agreement, &graph),
                people,
                &mut tables,
                (&mut *ids, &mut *rng, encrypt),
                (opened, ends),
            ));
        }
    }
    tables.into_rows()
}
