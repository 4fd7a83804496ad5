//! Importing deals from a CRM.

use aether_application::{imported::Imported, sales::import};
use async_graphql::{Context, Object, SimpleObject};

use crate::run::run;

/// What an import did, or would do, counted in lines.
#[derive(SimpleObject)]
struct DealImport {
    /// Lines whose deals were new.
    inserted: usize,
    /// Lines that changed a deal.
    updated: usize,
    /// Lines that said what was known already.
    unchanged: usize,
    /// All lines.
    total: usize,
    /// Whether this only tells what an import would do.
    dry_run: bool,
}

/// Importing deals.
#[derive(Default)]
pub(crate) struct DealImportMutation;

#[Object]
impl DealImportMutation {
    /// Imports deals from CSV: all lines, or none if one of them is wrong. A line is about the deal with its external system and
    /// identifier, so importing a file again changes nothing. An empty cell leaves what is there. Stages change as with
    /// advanceDeal, closeDealWon, closeDealLost and reopenDeal, and each changed field leaves its history, as a
    /// synchronization. The error tells in `extensions.lines` what is wrong where: `line`, `field` and `message`, at most 100
    /// times.
    async fn import_deals(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "CSV, at most 5,000 lines, divided by commas. The first line names the columns: external_deal_id, \
                    external_system, name, account_name, region, segment, lob, vertical, revenue_type, stage, value, currency, \
                    probability, expected_close_date, actual_close_date, owner_email, channel, campaign_source, close_reason, \
                    competitor_lost_to, created_date. Only the first is always needed; a new deal also needs name, region, \
                    segment, lob, stage, value and, while it is open, probability."
        )]
        csv: String,
        #[graphql(desc = "External system of the lines that name none, such as `salesforce`.")] external_system: Option<
            String,
        >,
        #[graphql(default, desc = "Whether only to tell what would be done.")] dry_run: bool,
    ) -> async_graphql::Result<DealImport> {
        Ok(run(ctx, import::import_csv(csv, external_system, dry_run)).await?.into())
    }
}

impl From<Imported> for DealImport {
    fn from(imported: Imported) -> Self {
        let Imported { inserted, updated, unchanged, dry_run } = imported;
        Self { inserted, updated, unchanged, total: imported.total(), dry_run }
    }
}
