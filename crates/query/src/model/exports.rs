//! What is taken out of the gateway as files.

use super::{Entity, entity};
use crate::model::{Restriction, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("row_exports", "RowExport", "rowExports", Scope::Organization)
            .order(&["-requested_at"])
            .restrict(Restriction::Own("requested_by"))
            .refers("organization_id", "organization", "rowExports")
            .refers("requested_by", "requestedByUser", "rowExports"),
    ]
}
