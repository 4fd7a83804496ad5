//! Completing what somebody else has answered, as the specification has it (sections 6.4.3 and 7.2.2).

use apollo_compiler::ast::Type;
use async_graphql_value::{ConstValue as Value, Name, indexmap::IndexMap};

use crate::{Bound, Problem, Selected};

impl Bound<'_> {
    /// The answer to a field with its fields in the order in which they were selected, whoever was ready first; and with null in place of
    /// an object of which a field that is never null has none. What is of a type that `is_finished` stays as it is.
    pub fn completed(
        &self,
        selected: &Selected<'_>,
        value: Value,
        is_finished: &dyn Fn(&str) -> bool,
    ) -> Result<Value, Problem> {
        self.complete(selected, &selected.field.definition.ty, value, is_finished)
    }

    fn complete(
        &self,
        selected: &Selected<'_>,
        ty: &Type,
        value: Value,
        is_finished: &dyn Fn(&str) -> bool,
    ) -> Result<Value, Problem> {
        match value {
            Value::List(items) if ty.is_list() => {
                let of = ty.item_type();
                let items = items.into_iter().map(|item| self.complete(selected, of, item, is_finished));
                let items = items.collect::<Result<Vec<_>, _>>()?;
                let failed = of.is_non_null() && items.contains(&Value::Null);
                Ok(if failed { Value::Null } else { Value::List(items) })
            }
            Value::Object(mut answered) if selected.has_fields() && !is_finished(selected.ty()) => {
                let mut fields = IndexMap::new();
                for inner in self.collect(&selected.sets, selected.ty())? {
                    let value = answered.swap_remove(inner.key).unwrap_or_default();
                    let value = self.completed(&inner, value, is_finished)?;
                    if value == Value::Null && inner.is_non_null() {
                        return Ok(Value::Null);
                    }
                    fields.insert(Name::new(inner.key), value);
                }
                Ok(Value::Object(fields))
            }
            value => Ok(value),
        }
    }
}
