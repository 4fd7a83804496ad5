//! The assumptions of a scenario, checked.

use aether_domain::scenario::Parameters;
use aether_store::{Error, Result};

/// The assumptions, checked, as they are stored.
pub(super) fn checked(parameters: Parameters) -> Result<serde_json::Value> {
    match parameters.check() {
        Ok(()) => Ok(parameters.to_json()),
        Err(problem) => Err(Error::invalid(format!("input.parameters.{}", problem.path), problem.message)),
    }
}
