//! Requests that clients may repeat: the same key and body get the answer of the first time.
//!
//! After draft-ietf-httpapi-idempotency-key-header. A key belongs to the user who sent it and is kept for 24 hours.

use sea_orm::ConnectionTrait;
use serde_json::Value;
use uuid::Uuid;

use super::KEY;
use crate::{
    Store,
    database::Transaction,
    error::{Error, Result},
    sql::Sql,
};

/// The longest key.
pub const MOST_LETTERS: usize = 255;

/// A key whose request is being served.
#[derive(Debug, Clone)]
pub struct Held {
    actor_id: Uuid,
    key: String,
}

/// What to do with a request that has a key.
pub enum Begun {
    /// Serve it, and keep the answer with [`Store::keep_answer`].
    Fresh(Held),
    /// It was served before: this is the answer.
    Answered(Value),
}

impl Store {
    /// Takes a key for a request with this hash.
    pub async fn begin_idempotent(&self, actor_id: Uuid, key: &str, hash: &[u8]) -> Result<Begun> {
        if key.is_empty() || key.chars().count() > MOST_LETTERS || key.contains('\0') {
            return Err(Error::invalid("Idempotency-Key", "The key must have 1 to 255 characters; a UUID does well."));
        }
        let held = Held { actor_id, key: key.to_owned() };
        let transaction = self.database().begin(KEY).await?;
        let mut insert = Sql::new();
        // A key whose request was cut off without effect is free again after a while.
        insert
            .push("INSERT INTO idempotency_keys AS k (actor_id, key, request_hash, expires_at) VALUES (")
            .uuid(actor_id)
            .push(", ")
            .text(key)
            .push(", ")
            .bytes(hash.to_vec())
            .push(
                ", now() + interval '24 hours') ON CONFLICT (actor_id, key) DO UPDATE SET request_hash = excluded.request_hash, \
                 response = NULL, status = 'in_progress', changed = false, created_at = now(), expires_at = excluded.expires_at \
                 WHERE k.expires_at < now() OR (k.status = 'in_progress' AND NOT k.changed \
                 AND k.created_at < now() - interval '2 minutes') RETURNING true",
            );
        let fresh = !transaction.query_all_raw(insert.statement()?).await?.is_empty();
        if fresh {
            self.database().commit(transaction).await?;
            return Ok(Begun::Fresh(held));
        }
        let mut find = Sql::new();
        find.push("SELECT request_hash = ")
            .bytes(hash.to_vec())
            .push(", response, changed FROM idempotency_keys WHERE actor_id = ")
            .uuid(actor_id)
            .push(" AND key = ")
            .text(key);
        let row = transaction.query_one_raw(find.statement()?).await?;
        let row =
            row.ok_or(Error::Idempotency("The request with this Idempotency-Key has just ended. Send it again."))?;
        let (same, answer, changed): (bool, Option<Value>, bool) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        match answer {
            _ if !same => Err(Error::Idempotency(
                "This Idempotency-Key was used for another request. Use a new key for a new request.",
            )),
            Some(answer) => Ok(Begun::Answered(answer)),
            None if changed => Err(Error::Idempotency(
                "The request with this Idempotency-Key was carried out, but its answer is not known yet, was lost, \
                 or shows secrets and is not kept. Read the state of things before you change more.",
            )),
            None => Err(Error::Idempotency(
                "A request with this Idempotency-Key is still being served. Wait for it, then send the same again.",
            )),
        }
    }

    /// Keeps the answer of a request for those that repeat it.
    pub async fn keep_answer(&self, held: Held, answer: Value) -> Result<()> {
        let transaction = self.database().begin(KEY).await?;
        let mut sql = Sql::new();
        sql.push("UPDATE idempotency_keys SET status = 'completed', response = ")
            .json(answer)
            .push(" WHERE actor_id = ")
            .uuid(held.actor_id)
            .push(" AND key = ")
            .text(held.key);
        transaction.execute_raw(sql.statement()?).await?;
        self.database().commit(transaction).await?;
        Ok(())
    }

    /// Gives a key back whose request could not be served at all.
    pub async fn release_key(&self, held: Held) -> Result<()> {
        let transaction = self.database().begin(KEY).await?;
        let mut sql = Sql::new();
        sql.push("DELETE FROM idempotency_keys WHERE NOT changed AND actor_id = ").uuid(held.actor_id);
        sql.push(" AND key = ").text(held.key);
        transaction.execute_raw(sql.statement()?).await?;
        self.database().commit(transaction).await?;
        Ok(())
    }
}

/// Notes, in the change's own transaction, that the request has had its effect.
pub(super) async fn mark(held: &Held, transaction: &Transaction) -> Result<()> {
    let mut sql = Sql::new();
    sql.push("UPDATE idempotency_keys SET changed = true WHERE NOT changed AND actor_id = ").uuid(held.actor_id);
    sql.push(" AND key = ").text(held.key.clone());
    transaction.execute_raw(sql.statement()?).await?;
    Ok(())
}
