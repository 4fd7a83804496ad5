//! What was told, compared with what was to be told.

use std::collections::{HashMap, HashSet};

use super::socket::Told;

/// A message that every subscriber of a place must get, once and in this order; times in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    pub sequence: i64,
    /// When its request was sent.
    pub sent: u64,
    /// When its transaction began, if there was one.
    pub begun: Option<u64>,
    /// When its request was answered.
    pub answered: u64,
}

/// How long deliveries took, milliseconds; those ahead of the moment from which it is counted took less than nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    pub p50: f64,
    pub p99: f64,
    pub most: f64,
}

/// The comparison.
#[derive(Debug, Default)]
pub struct Account {
    pub due: u64,
    pub lost: u64,
    pub twice: u64,
    pub out_of_order: u64,
    /// Messages of which nobody knows.
    pub unknown: u64,
    /// Connections that ended before the end, and why the first of them did.
    pub cut: u64,
    pub why: Option<String>,
    pub since_sent: Times,
    pub since_begun: Times,
    pub since_answered: Times,
}

impl Account {
    /// Compares what subscribers were told with what was due in their places, behind the number that each place has in `after`.
    pub fn of(due: &[Vec<Due>], told: &[(usize, Told)], after: &[i64]) -> Self {
        let mut account = Self::default();
        let [mut sent, mut begun, mut answered] = [const { Vec::new() }; 3];
        let known: Vec<HashMap<i64, &Due>> =
            due.iter().map(|due| due.iter().map(|due| (due.sequence, due)).collect()).collect();
        for (place, told) in told {
            account.due += due[*place].len() as u64;
            if let Some(why) = &told.cut {
                account.cut += 1;
                account.why.get_or_insert_with(|| why.clone());
            }
            let mut seen = HashSet::with_capacity(due[*place].len());
            let mut last = i64::MIN;
            for receipt in told.receipts.iter().filter(|receipt| receipt.sequence > after[*place]) {
                let Some(due) = known[*place].get(&receipt.sequence) else {
                    account.unknown += 1;
                    continue;
                };
                if !seen.insert(receipt.sequence) {
                    account.twice += 1;
                    continue;
                }
                account.out_of_order += u64::from(receipt.sequence < last);
                last = last.max(receipt.sequence);
                let since = |moment: u64| (receipt.at as f64 - moment as f64) / 1e3;
                sent.push(since(due.sent));
                begun.extend(due.begun.map(since));
                answered.push(since(due.answered));
            }
            account.lost += (due[*place].len() - seen.len()) as u64;
        }
        account.since_sent = Times::of(sent);
        account.since_begun = Times::of(begun);
        account.since_answered = Times::of(answered);
        account
    }

    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<String> {
        let faults = [
            (self.lost, "lost"),
            (self.twice, "delivered twice"),
            (self.out_of_order, "out of order"),
            (self.unknown, "of no change"),
            (self.cut, "connections cut"),
        ];
        let faults: Vec<String> =
            faults.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let why = self.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        (!faults.is_empty()).then(|| format!("{}{why}", faults.join(", ")))
    }
}

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or_default()
        };
        Self { p50: at(0.50), p99: at(0.99), most: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::socket::Receipt;
    use super::*;

    fn account(sequences: &[i64]) -> Account {
        let due = [1, 2, 3].map(|sequence| Due { sequence, sent: 0, begun: None, answered: 1_000 }).to_vec();
        let receipts = sequences.iter().map(|sequence| Receipt { sequence: *sequence, at: 3_000 }).collect();
        Account::of(&[due], &[(0, Told { receipts, cut: None })], &[0])
    }

    #[test]
    fn every_fault_is_found() {
        let good = account(&[-5, 1, 2, 3]);
        assert_eq!((good.fault(), good.due), (None, 3));
        assert_eq!((good.since_sent.p50, good.since_answered.p99), (3.0, 2.0));
        assert_eq!(account(&[1, 3]).fault().as_deref(), Some("1 lost"));
        assert_eq!(account(&[1, 2, 2, 3]).fault().as_deref(), Some("1 delivered twice"));
        assert_eq!(account(&[2, 1, 3]).fault().as_deref(), Some("1 out of order"));
        assert_eq!(account(&[1, 2, 3, 9]).fault().as_deref(), Some("1 of no change"));
    }
}
