//! Introspection: what a document asks of the schema itself.

use apollo_compiler::{ExecutableDocument, introspection, response::JsonMap, validation::Valid};

use crate::{
    Bound, Compiler,
    problem::{Problem, Stage},
};

/// Refuses what would unfold the schema into itself level by level.
pub(crate) fn check(document: &Valid<ExecutableDocument>) -> Result<(), Vec<Problem>> {
    for operation in document.operations.iter() {
        introspection::check_max_depth(document, operation).map_err(|error| {
            let told = "The introspection is nested too deep: lists of fields, types or arguments within three of the same. \
                        Ask for the types by their names instead.";
            let place = error.location().and_then(|span| crate::problem::place(Some(span), &document.sources));
            vec![Problem { stage: Stage::Validation, message: told.into(), place }]
        })?;
    }
    Ok(())
}

impl Compiler {
    /// The answers to `__schema` and `__type` of this operation, as JSON by response key.
    pub fn introspect(&self, bound: &Bound<'_>) -> Result<Vec<(String, String)>, Problem> {
        let mut variables = JsonMap::new();
        for (name, value) in bound.variables() {
            let value = serde_json::to_string(value).ok().and_then(|text| serde_json::from_str(&text).ok());
            variables.insert(name, value.unwrap_or_default());
        }
        let answer = introspection::partial_execute(
            &self.types.schema,
            &self.types.implementers,
            &bound.operation.compiled.document,
            &bound.operation.node,
            &Valid::assume_valid(variables),
        );
        let failed = |why: String| Problem::new(Stage::Validation, why);
        let answer = answer.map_err(|error| failed(error.message().to_string()))?;
        if let Some(error) = answer.errors.first() {
            return Err(failed(error.message.clone()));
        }
        let data = answer.data.unwrap_or_default();
        let fields = data.iter().map(|(key, value)| {
            let json = serde_json::to_string(value).map_err(|error| failed(error.to_string()))?;
            Ok((key.as_str().to_owned(), json))
        });
        fields.collect()
    }
}
