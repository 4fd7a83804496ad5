//! The simulator of a workspace: its state while its timeline unfolds, with the clock and the audit trail.

use std::collections::BTreeMap;

use aether_domain::drift::{self, TermKind};
use aether_domain::graph::Graph;
use chrono::{DateTime, Datelike as _, Duration, Utc, Weekday};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use uuid::Uuid;

use super::agreement::Agreement;
use super::parties::Parties;
use super::tables::Tables;
use crate::copy::row;
use crate::ids::Ids;
use crate::people::{People, User};

/// Encrypts what is stored encrypted.
pub(super) type Encrypt<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// A clause as it stands.
#[derive(Debug)]
pub(super) struct ClauseState {
    pub(super) id: Uuid,
    pub(super) created: DateTime<Utc>,
    pub(super) edited: (DateTime<Utc>, Uuid),
    pub(super) locked: Option<(DateTime<Utc>, Uuid)>,
    pub(super) touched: DateTime<Utc>,
    pub(super) version: i32,
    /// The covenants that it sets out.
    pub(super) covenants: Vec<Uuid>,
}

/// A variable as it stands.
#[derive(Debug)]
pub(super) struct VariableState {
    pub(super) id: Uuid,
    /// The positions of its clause, and of itself in the clause.
    pub(super) at: (usize, usize),
    pub(super) value: String,
    pub(super) baseline: String,
    /// When the baseline was agreed.
    pub(super) agreed: DateTime<Utc>,
    pub(super) created: DateTime<Utc>,
    pub(super) edited: (DateTime<Utc>, Uuid),
    pub(super) touched: DateTime<Utc>,
    pub(super) version: i32,
    /// Whether a deviation is unresolved.
    pub(super) drifts: bool,
}

/// Who settled a drift item, when, how and why.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) status: String,
    pub(super) by: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) reason: String,
    pub(super) category: String,
}

/// A drift item as it stands.
#[derive(Debug)]
pub(super) struct DriftState {
    pub(super) id: Uuid,
    /// The position of the variable.
    pub(super) variable: usize,
    pub(super) severity: &'static str,
    pub(super) baseline: String,
    pub(super) agreed: DateTime<Utc>,
    pub(super) current: String,
    pub(super) edited: (DateTime<Utc>, Uuid),
    pub(super) settled: Option<Settlement>,
    /// An override that waits for risk.
    pub(super) asked: Option<Asked>,
}

/// Who asked for an override of the baseline, when and why.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) by: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) reason: String,
    pub(super) category: String,
}

/// An entry of the audit trail, but for who and when.
pub(super) struct Act<'a> {
    pub(super) event: &'static str,
    pub(super) target: Option<(&'static str, Uuid)>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    pub(super) reason: Option<&'a str>,
    pub(super) category: Option<&'a str>,
}

impl<'a> Act<'a> {
    pub(super) fn new(event: &'static str, target: (&'static str, Uuid)) -> Self {
        Self { target: Some(target), ..Self::bare(event) }
    }

    /// Something that is done to nothing in particular.
    fn bare(event: &'static str) -> Self {
        Self { event, target: None, before: None, after: None, reason: None, category: None }
    }

    pub(super) fn before(self, before: Value) -> Self {
        Self { before: Some(before), ..self }
    }

    pub(super) fn after(self, after: Value) -> Self {
        Self { after: Some(after), ..self }
    }

    pub(super) fn because(self, reason: &'a str, category: &'a str) -> Self {
        Self { reason: Some(reason), category: Some(category), ..self }
    }
}

/// A workspace, its clock and the rows it has come to so far.
pub(super) struct Simulator<'a> {
    pub(super) parties: &'a Parties,
    pub(super) agreement: &'a Agreement,
    /// What the text says; drift comes and goes.
    pub(super) graph: &'a Graph,
    pub(super) people: &'a People,
    pub(super) tables: &'a mut Tables,
    pub(super) ids: &'a mut Ids,
    pub(super) rng: &'a mut ChaCha8Rng,
    pub(super) workspace: Uuid,
    pub(super) opened: DateTime<Utc>,
    /// The last midnight of the data: nothing is later.
    pub(super) ends: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    pub(super) clauses: Vec<ClauseState>,
    pub(super) variables: Vec<VariableState>,
    pub(super) drift: Vec<DriftState>,
    /// Encrypts what is stored encrypted.
    pub(super) encrypt: Encrypt<'a>,
    /// Who is signed in, and when they last did something.
    pub(super) present: BTreeMap<&'static str, DateTime<Utc>>,
}

impl<'a> Simulator<'a> {
    /// A simulator with nothing in it, in the morning of the day the workspace is opened.
    pub(super) fn new(
        (parties, agreement, graph): (&'a Parties, &'a Agreement, &'a Graph),
        people: &'a People,
        tables: &'a mut Tables,
        (ids, rng, encrypt): (&'a mut Ids, &'a mut ChaCha8Rng, Encrypt<'a>),
        (opened, ends): (DateTime<Utc>, DateTime<Utc>),
    ) -> Self {
        let opened = office_day(opened) + Duration::seconds(rng.random_range(8 * 3_600..10 * 3_600));
        let workspace = ids.at(opened);
        Self {
            parties,
            agreement,
            graph,
            people,
            tables,
            ids,
            rng,
            workspace,
            opened,
            ends,
            now: opened,
            clauses: Vec::new(),
            variables: Vec::new(),
            drift: Vec::new(),
            encrypt,
            present: BTreeMap::new(),
        }
    }

    /// Goes on to the day at this share of the workspace's life. Whoever was signed in has signed out before.
    pub(super) fn go(&mut self, share: f64) {
        let minutes = (self.ends - self.opened).num_minutes() as f64 * share;
        let day = office_day(self.opened + Duration::minutes(minutes as i64));
        let next = day + Duration::seconds(self.rng.random_range(8 * 3_600..14 * 3_600));
        if next.date_naive() == self.now.date_naive() || next <= self.now {
            return self.wait(10..45);
        }
        self.leave();
        self.now = next;
    }

    /// Signs everybody out.
    pub(super) fn leave(&mut self) {
        for (email, last) in std::mem::take(&mut self.present) {
            let at = last + Duration::minutes(self.rng.random_range(4..30));
            self.write(email, at, &Act::bare("LOGOUT"));
        }
    }

    /// Lets some minutes pass.
    pub(super) fn wait(&mut self, minutes: std::ops::Range<i64>) {
        self.now += Duration::seconds(self.rng.random_range(minutes.start * 60..minutes.end * 60));
    }

    /// Lets some seconds pass, as between the rows of a batch.
    pub(super) fn blink(&mut self) {
        self.now += Duration::milliseconds(self.rng.random_range(900..9_000));
    }

    pub(super) fn user(&self, email: &str) -> &'a User {
        self.parties.user(self.people, email)
    }

    pub(super) fn id(&mut self) -> Uuid {
        self.ids.at(self.now)
    }

    /// Writes what somebody does now into the audit trail; before the first thing on a day stands the login.
    pub(super) fn record(&mut self, email: &'static str, act: &Act) -> Uuid {
        if !self.present.contains_key(email) {
            let at = self.now - Duration::seconds(self.rng.random_range(40..400));
            self.write(email, at, &Act::bare("LOGIN"));
        }
        self.present.insert(email, self.now);
        self.write(email, self.now, act);
        self.user(email).id
    }

    fn write(&mut self, email: &str, at: DateTime<Utc>, act: &Act) {
        let actor = self.user(email);
        let inside = !matches!(act.event, "LOGIN" | "LOGOUT");
        // The same office or home, the same browser.
        let place = actor.email.bytes().map(usize::from).sum::<usize>();
        self.tables.audit_events(row![
            self.ids.at(at),
            inside.then_some(self.workspace),
            at,
            actor.id,
            actor.name,
            act.event,
            act.target.map(|(kind, _)| kind),
            act.target.map(|(_, id)| id),
            act.before.clone(),
            act.after.clone(),
            act.reason,
            act.category,
            self.ids.at(at),
            format!("198.51.100.{}", 10 + place % 200),
            AGENTS[place % AGENTS.len()],
        ]);
    }

    /// What a variable is about.
    pub(super) fn kind(&self, variable: usize) -> TermKind {
        let (clause, at) = self.variables[variable].at;
        match self.agreement.clauses[clause].variables[at].kind {
            // A ratio is one of a covenant.
            TermKind::Ratio => TermKind::Covenant,
            kind => kind,
        }
    }

    pub(super) fn label(&self, variable: usize) -> &'a str {
        let (clause, at) = self.variables[variable].at;
        &self.agreement.clauses[clause].variables[at].label
    }

    /// Puts a new value in the draft. Where it leaves the baseline, that opens a drift item; its position is returned.
    pub(super) fn set(&mut self, variable: usize, value: &str, editor: Uuid) -> Option<usize> {
        let (now, kind) = (self.now, self.kind(variable));
        let state = &mut self.variables[variable];
        let clause = &mut self.clauses[state.at.0];
        assert!(clause.locked.is_none_or(|(_, by)| by == editor), "a locked clause is not edited");
        value.clone_into(&mut state.value);
        (state.edited, state.touched) = ((now, editor), now);
        state.version += 1;
        (clause.edited, clause.touched) = ((now, editor), now);
        clause.version += 1;
        let severity = drift::severity(kind, &state.baseline, value);
        state.drifts = severity.is_some();
        let severity = severity?.as_str();
        self.drift.push(DriftState {
            id: self.ids.at(now),
            variable,
            severity,
            baseline: state.baseline.clone(),
            agreed: state.agreed,
            current: value.to_owned(),
            edited: (now, editor),
            settled: None,
            asked: None,
        });
        Some(self.drift.len() - 1)
    }

    /// How many unresolved items are HIGH.
    pub(super) fn high(&self) -> usize {
        self.drift.iter().filter(|item| item.settled.is_none() && item.severity == "HIGH").count()
    }
}

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
];

/// The midnight of a day, or of the Friday before a weekend: bankers document from Monday to Friday.
fn office_day(time: DateTime<Utc>) -> DateTime<Utc> {
    let day = time.date_naive();
    let back = match day.weekday() {
        Weekday::Sat => 1,
        Weekday::Sun => 2,
        _ => 0,
    };
    (day - chrono::Days::new(back)).and_time(chrono::NaiveTime::MIN).and_utc()
}
