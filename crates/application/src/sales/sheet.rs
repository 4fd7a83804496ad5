//! The lines of an import of deals.

use aether_domain::sheet::{Cells, Column, LineError, MOST_PROBLEMS, letters, read, read_amount, rows};
use aether_entity::sea_orm_active_enums::{DealLob, DealRegion, DealSegment, DealStage};
use aether_store::value::label;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum, Iterable};

/// How many lines an import takes.
pub(super) const MOST_LINES: usize = 5_000;

const fn column(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column { name, aliases, required: false }
}

/// In the order of the fields of [`DealLine`].
const COLUMNS: [Column; 21] = [
    Column { name: "external_deal_id", aliases: &["deal_id", "opportunity_id", "external_id", "id"], required: true },
    column("external_system", &["system", "crm", "source_system"]),
    column("name", &["deal_name", "opportunity_name"]),
    column("account_name", &["account", "customer"]),
    column("region", &[]),
    column("segment", &[]),
    column("lob", &["line_of_business"]),
    column("vertical", &["industry"]),
    column("revenue_type", &[]),
    column("stage", &["stage_name"]),
    column("value", &["amount", "tcv"]),
    column("currency", &["currency_code"]),
    column("probability", &["win_probability"]),
    column("expected_close_date", &["close_date"]),
    column("actual_close_date", &["closed_date", "closed_on"]),
    column("owner_email", &["owner"]),
    column("channel", &["lead_source"]),
    column("campaign_source", &["campaign"]),
    column("close_reason", &["loss_reason", "reason"]),
    column("competitor_lost_to", &["competitor"]),
    column("created_date", &["created_at", "created"]),
];

/// What a line says of a deal; `None` where it says nothing, which leaves what there is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DealLine {
    /// Its place in the text, counting from 1, which is the header.
    pub(super) line: u64,
    pub(super) external_deal_id: String,
    pub(super) external_system: String,
    pub(super) name: Option<String>,
    pub(super) account_name: Option<String>,
    pub(super) region: Option<DealRegion>,
    pub(super) segment: Option<DealSegment>,
    pub(super) lob: Option<DealLob>,
    pub(super) vertical: Option<String>,
    pub(super) revenue_type: Option<String>,
    pub(super) stage: Option<DealStage>,
    pub(super) value: Option<Decimal>,
    pub(super) currency: Option<String>,
    pub(super) probability: Option<Decimal>,
    pub(super) expected_close_date: Option<NaiveDate>,
    pub(super) actual_close_date: Option<NaiveDate>,
    pub(super) owner_email: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) campaign_source: Option<String>,
    pub(super) close_reason: Option<String>,
    pub(super) competitor_lost_to: Option<String>,
    pub(super) created_date: Option<NaiveDate>,
}

/// Reads the CSV of an import; `system` is the external system of lines that name none.
pub(super) fn parse(csv: &str, system: Option<&str>) -> Result<Vec<DealLine>, Vec<LineError>> {
    let lines = read(csv, &COLUMNS, MOST_LINES)?;
    let (deals, problems) = rows(
        &lines,
        &COLUMNS,
        MOST_PROBLEMS,
        |cells| of_line(cells, system),
        |deal| (deal.external_system.clone(), deal.external_deal_id.clone()),
        |line, first| {
            let message = format!("Line {first} has the same deal. A file has each deal once.");
            LineError::new(line, COLUMNS[0].name, message)
        },
    );
    if problems.is_empty() { Ok(deals) } else { Err(problems) }
}

fn of_line(cells: &mut Cells<'_>, system: Option<&str>) -> Option<DealLine> {
    let id = cells.text(0, 100);
    if id.is_none() {
        cells.wrong(0, "A value is needed here: it tells which deal the line is about.");
    }
    let external_system = cells.text(1, 100).or_else(|| system.map(str::to_owned));
    if external_system.is_none() {
        cells.wrong(1, "Name the system that the deal is from, here or in the argument externalSystem.");
    }
    Some(DealLine {
        line: cells.line(),
        external_deal_id: id.unwrap_or_default(),
        external_system: external_system.unwrap_or_default(),
        name: cells.text(2, 500),
        account_name: cells.text(3, 255),
        region: one_of(cells, 4),
        segment: one_of(cells, 5),
        lob: one_of(cells, 6),
        vertical: cells.text(7, 50),
        revenue_type: cells.text(8, 50),
        stage: one_of(cells, 9),
        value: cells.value(
            10,
            |text| read_amount(text).filter(|value| !value.is_sign_negative()),
            "A value is written as 1234.56 and not negative.",
        ),
        currency: cells.currency(11),
        probability: cells.value(
            12,
            |text| read_amount(text).filter(|value| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(value)),
            "A probability is a number from 0 to 100, in percent, without a sign of percent.",
        ),
        expected_close_date: cells.day(13),
        actual_close_date: cells.day(14),
        owner_email: cells.text(15, 255).map(|email| email.to_lowercase()),
        channel: cells.text(16, 100),
        campaign_source: cells.text(17, 200),
        close_reason: cells.text(18, 255),
        competitor_lost_to: cells.text(19, 255),
        created_date: cells.day(20),
    })
}

/// A value of an enum, by its name in the documents or in the graph.
fn one_of<E: ActiveEnum<Value: Into<sea_orm::Value>> + Iterable>(cells: &mut Cells<'_>, column: usize) -> Option<E> {
    let cell = letters(cells.cell(column)?);
    let found = E::iter().find(|known| letters(&label(known)) == cell);
    if found.is_none() {
        let known: Vec<_> = E::iter().map(|known| label(&known)).collect();
        let message = format!("There is no such {}. Known are: {}.", cells.name(column), known.join(", "));
        cells.wrong(column, message);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_the_names_of_its_columns() {
        let csv = "Opportunity ID,Stage,Region,Segment,LOB,Amount,Probability,Owner,Close Date\n\
                   006A,LEGAL_REVIEW,asia pacific,Mid-Market,software,1200.50,85,Jane@X.example,2026-12-31\n";
        let deals = parse(csv, Some("salesforce")).expect("it is sound");
        let deal = &deals[0];
        assert_eq!(
            (deal.line, deal.external_deal_id.as_str(), deal.external_system.as_str()),
            (2, "006A", "salesforce")
        );
        assert_eq!(deal.stage, Some(DealStage::LegalReview));
        assert_eq!(deal.region, Some(DealRegion::AsiaPacific));
        assert_eq!(deal.segment, Some(DealSegment::MidMarket));
        assert_eq!(deal.value, Some(Decimal::new(120_050, 2)));
        assert_eq!(deal.owner_email.as_deref(), Some("jane@x.example"));
        assert_eq!(deal.expected_close_date, NaiveDate::from_ymd_opt(2026, 12, 31));
        assert_eq!((deal.name.as_ref(), deal.actual_close_date), (None, None));
    }

    #[test]
    fn problems_name_line_and_column() {
        let csv = "external_deal_id,external_system,stage,value,probability,expected_close_date,currency\n\
                   1,crm,Prospecting,1,1,2026-01-01,USD\n\
                   ,crm,,,,,\n\
                   2,,Gone,-1,101,2026-02-30,usd\n\
                   1,crm,,,,,\n";
        let problems = parse(csv, None).expect_err("much is wrong");
        let told: Vec<_> = problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
        assert_eq!(
            told,
            [
                (3, "external_deal_id"),
                (4, "external_system"),
                (4, "stage"),
                (4, "value"),
                (4, "currency"),
                (4, "probability"),
                (4, "expected_close_date"),
                (5, "external_deal_id"),
            ]
        );
    }
}
