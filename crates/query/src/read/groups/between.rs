//! What is told of a group by the others: shares, running sums, empty buckets, the groups before.

use aether_entity::catalog::Kind;

use super::{Function, GroupValue, Grouping, MOST_BUCKETS, Measure, own_rows::bytewise};
use crate::{
    read::buckets::PriorPeriod,
    sql::{NATURAL_ORDER, Sql},
};

impl Grouping {
    /// The groups with what is known only of several of them: shares, running sums, empty buckets, the groups before.
    pub(super) fn compared(&self, grouped: Sql) -> Sql {
        let mut sql = Sql::new();
        sql.push("WITH g AS (").append(&grouped).push(")");
        let mut from = "g";
        if let (true, Some((time, bucket))) = (self.fill, self.time()) {
            sql.push(", s AS (SELECT generate_series(min(g").number(time as u64).push(")::timestamp, max(g");
            sql.number(time as u64).push(")::timestamp, '").push(bucket.length()).push("')::date AS at FROM g LIMIT ");
            sql.number(MOST_BUCKETS + 1).push("), f AS (").append(&self.filled(time)).push(")");
            from = "f";
        }
        sql.push(", w AS (SELECT ").push(from).push(".*");
        for (place, value) in self.values.iter().enumerate() {
            match *value {
                GroupValue::Share(of) => self.share(sql.push(", "), of),
                GroupValue::Running(of) => self.running(sql.push(", "), of),
                GroupValue::Several(lowest, highest) => {
                    sql.push(", min(g")
                        .number(lowest as u64)
                        .push(self.bytewise(lowest))
                        .push(") OVER () IS DISTINCT FROM max(g");
                    sql.number(highest as u64).push(self.bytewise(highest)).push(") OVER ()");
                }
                GroupValue::Endless => {
                    sql.push(", (SELECT count(*) FROM s) > ").number(MOST_BUCKETS);
                }
                _ => continue,
            }
            sql.push(" AS g").number(place as u64);
        }
        sql.push(" FROM ").push(from).push(") SELECT w.*");
        let mut periods: Vec<PriorPeriod> = Vec::new();
        let time = self.time().map_or(0, |(time, _)| time);
        for (place, value) in self.values.iter().enumerate() {
            let (period, of) = match *value {
                GroupValue::Prior(period, of) => (period, Some(of)),
                GroupValue::HasPrior(period) => (period, None),
                _ => continue,
            };
            let known = periods.iter().position(|known| *known == period).unwrap_or_else(|| {
                periods.push(period);
                periods.len() - 1
            });
            match of {
                Some(of) => sql.push(", p").number(known as u64).push(".g").number(of as u64),
                None => sql.push(", p").number(known as u64).push(".g").number(time as u64).push(" IS NOT NULL"),
            };
            sql.push(" AS g").number(place as u64);
        }
        sql.push(" FROM w");
        for (place, period) in periods.iter().enumerate() {
            let Some((time, bucket)) = self.time() else { continue };
            sql.push(" LEFT JOIN w p")
                .number(place as u64)
                .push(" ON p")
                .number(place as u64)
                .push(".g")
                .number(time as u64);
            sql.push(" = (w.g").number(time as u64).push(" - interval '").push(period.length(bucket)).push("')::date");
            let others = self.others(time);
            if !others.is_empty() {
                sql.push(" AND ");
                together(&mut sql, &others, "w", None);
                sql.push(" = ");
                together(&mut sql, &others, "p", Some(place as u64));
            }
        }
        sql
    }

    fn bytewise(&self, place: usize) -> &'static str {
        bytewise(self.kind(place))
    }

    /// The places of all keys but that of time, and of the depth.
    fn others(&self, time: usize) -> Vec<usize> {
        let keys = (0..self.keys.len()).filter(|place| *place != time);
        keys.chain(self.place(GroupValue::Depth)).collect()
    }

    /// The groups, and one without rows for each bucket between the first and the last in which another has none.
    fn filled(&self, time: usize) -> Sql {
        let others: Vec<usize> = (0..self.keys.len()).filter(|place| *place != time).collect();
        let mut sql = Sql::new();
        let list = |sql: &mut Sql, filled: bool| {
            for (i, (place, value)) in self.of_rows().enumerate() {
                sql.push(if i > 0 { ", " } else { "" });
                let is_count = matches!(
                    value,
                    GroupValue::Measure(Measure { function: Function::Count | Function::CountDistinct, .. })
                );
                match value {
                    _ if !filled => sql.push("g.g").number(place as u64),
                    GroupValue::Key(key) if key == time => sql.push("s.at"),
                    GroupValue::Key(_) => sql.push("o.g").number(place as u64),
                    GroupValue::Depth => sql.number(self.keys.len() as u64),
                    _ if is_count => sql.push("coalesce(g.g").number(place as u64).push(", 0)"),
                    _ => sql.push("g.g").number(place as u64),
                };
                sql.push(" AS g").number(place as u64);
            }
        };
        sql.push("SELECT ");
        list(&mut sql, true);
        sql.push(" FROM (SELECT ");
        if others.is_empty() {
            sql.push("1");
        } else {
            sql.push("DISTINCT ");
            for (i, place) in others.iter().enumerate() {
                sql.push(if i > 0 { ", g" } else { "g" }).number(*place as u64);
            }
            sql.push(" FROM g WHERE g").number(time as u64).push(" IS NOT NULL");
        }
        sql.push(") o CROSS JOIN s LEFT JOIN g ON g.g");
        sql.number(time as u64).push(" = s.at");
        if !others.is_empty() {
            sql.push(" AND ");
            together(&mut sql, &others, "g", None);
            sql.push(" = ");
            together(&mut sql, &others, "o", None);
        }
        sql.push(" UNION ALL SELECT ");
        list(&mut sql, false);
        sql.push(" FROM g WHERE g.g").number(time as u64).push(" IS NULL");
        sql
    }

    /// The keys within which sums of a measure over groups are meaningful, by which they are therefore kept apart.
    fn partition(&self, sql: &mut Sql, of: usize, by: impl Iterator<Item = usize>) {
        let mut places = self.apart_keys_of(of);
        places.extend(by);
        places.extend(self.place(GroupValue::Depth).filter(|_| self.rollup));
        places.sort_unstable();
        places.dedup();
        for (i, place) in places.iter().enumerate() {
            sql.push(if i > 0 { ", g" } else { "PARTITION BY g" }).number(*place as u64);
        }
    }

    /// The places of the keys that keep the rows of a measure apart.
    fn apart_keys_of(&self, of: usize) -> Vec<usize> {
        match self.values[of] {
            GroupValue::Measure(Measure { column: Some(column), .. }) => self.apart_keys(column).collect(),
            _ => Vec::new(),
        }
    }

    fn share(&self, sql: &mut Sql, of: usize) {
        let mut over = Sql::new();
        over.push(" OVER (");
        self.partition(&mut over, of, std::iter::empty());
        over.push(")");
        if let Some([flow, first, last]) = self.nature_places(of) {
            sql.push("CASE WHEN bool_and(g").number(flow).push(")").append(&over);
            sql.push(" OR min(g").number(first).push(")").append(&over).push(" = max(g").number(last).push(")");
            sql.append(&over).push(" THEN ");
        }
        sql.push("round(g")
            .number(of as u64)
            .push(" / nullif(sum(g")
            .number(of as u64)
            .push(")")
            .append(&over)
            .push(", 0), 6)");
        sql.push(if self.nature_places(of).is_some() { " END" } else { "" });
    }

    fn running(&self, sql: &mut Sql, of: usize) {
        let nature = self.nature_places(of);
        let time = self.time().map(|(time, _)| time);
        let spans = self.place(GroupValue::Depth).zip(self.apart_keys_of(of).into_iter().max()).filter(|_| self.rollup);
        if let Some((depth, last)) = spans {
            sql.push("CASE WHEN g").number(depth as u64).push(" > ").number(last as u64).push(" THEN ");
        }
        sql.push("sum(");
        if let Some([flow, ..]) = nature {
            sql.push("CASE WHEN g").number(flow).push(" THEN ");
        }
        sql.push("g").number(of as u64).push(if nature.is_some() { " END" } else { "" }).push(") OVER (");
        match time {
            Some(time) => self.partition(sql, of, (0..self.keys.len()).filter(move |place| *place != time)),
            None => self.partition(sql, of, std::iter::empty()),
        }
        sql.push(" ORDER BY ");
        for (i, place) in time.map_or_else(|| (0..self.keys.len()).collect(), |time| vec![time]).into_iter().enumerate()
        {
            sql.push(if i > 0 { ", g" } else { "g" }).number(place as u64);
            if matches!(self.kind(place), Kind::Text) {
                sql.push(NATURAL_ORDER);
            }
            sql.push(if self.keys[place].nulls_first { " NULLS FIRST" } else { "" });
        }
        if self.keys.is_empty() {
            sql.push("1");
        }
        sql.push(" ROWS UNBOUNDED PRECEDING)").push(if spans.is_some() { " END" } else { "" });
    }

    /// Where it is told whether sums over groups of this measure are meaningful: whether it is a flow, of which days first and last.
    fn nature_places(&self, of: usize) -> Option<[u64; 3]> {
        let GroupValue::Measure(Measure { column: Some(column), filter, .. }) = self.values[of] else { return None };
        let kinds = self.ty.kinds(column)?;
        let place = |function, column| {
            self.place(GroupValue::Measure(Measure { function, column: Some(column), filter }))
                .map(|place| place as u64)
        };
        Some([
            place(Function::Flow, kinds.column)?,
            place(Function::Min, kinds.date)?,
            place(Function::Max, kinds.date)?,
        ])
    }
}

/// These values of a group as one, to be compared with those of another: null equals null, and rows can be hashed by it.
fn together(sql: &mut Sql, places: &[usize], table: &'static str, number: Option<u64>) {
    sql.push("jsonb_build_array(");
    for (i, place) in places.iter().enumerate() {
        sql.push(if i > 0 { ", " } else { "" }).push(table);
        if let Some(number) = number {
            sql.number(number);
        }
        sql.push(".g").number(*place as u64);
    }
    sql.push(")");
}
