//! From a prepared subscription to one that the hub serves.

use std::sync::Arc;

use aether_store::{
    Error,
    live::{ConnectionQueue, Cursor, Hub, Subscription},
};

use super::request;
use crate::{Asker, Identity, Prepared, Response, Schema, compiled, error, plan::Planner};

impl Schema {
    /// Begins a subscription, whose messages come out of the line under this tag. `resume` takes the place of its argument
    /// `after`.
    pub async fn subscribe(
        &self,
        prepared: &Prepared,
        asker: Asker,
        hub: &Arc<Hub>,
        queue: &Arc<ConnectionQueue>,
        tag: Arc<str>,
        resume: Option<Cursor>,
    ) -> Result<Subscription, Response> {
        let failed = |error| Response::refused(vec![error::nowhere(error)]);
        // What fits no schema is told to anybody, as it is of queries; then who asks, and only then what is asked for.
        let asked = {
            let bound = self.bind(prepared)?;
            let planner = Planner::new(&bound, &self.0.limits);
            let selected = bound.collect(&[bound.root()], "Subscription");
            let selected = selected.map_err(|problem| Response::refused(vec![compiled::error(problem)]))?;
            match selected.first() {
                Some(selected) => request::request(&bound, &planner, selected),
                None => Err(Error::invalid("", "This asks for nothing.")),
            }
        };
        let session = match asker.identity {
            Identity::Session(session) => session,
            Identity::Refused(error) => return Err(failed(error)),
            Identity::Nobody => {
                return Err(failed(Error::Unauthenticated(
                    "Sign in with the login mutation and send its accessToken: in the payload of connection_init as \
                     `{\"authorization\": \"Bearer …\"}`, or in the header `Authorization: Bearer …`."
                        .into(),
                )));
            }
        };
        let asked = asked.map_err(failed)?;
        hub.subscribe(asked.plan, session, resume.or(asked.after), queue, tag).await.map_err(failed)
    }

    /// An error as clients see it: the errors of a GraphQL response.
    pub fn errors(error: Error) -> Response {
        Response::refused(vec![error::nowhere(error)])
    }
}
