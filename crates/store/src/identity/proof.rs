//! Proving anew who one is: what a session alone must not be enough for.

use aether_entity::users;
use chrono::Utc;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};

use super::{
    Client, Sessions, password,
    second_factor::{self, Shown},
    sign_in::{fail, is_locked},
};
use crate::{
    actor::Actor,
    audit_log::sign_in::Entry,
    error::{Error, Result},
    write::KEY,
};

/// That a signed-in user has just given the right password, and code if one was asked for.
pub struct Proof {
    password_hash: Option<String>,
}

impl Proof {
    /// Refuses to go on where the password has been changed since.
    pub fn holds(&self, user: &users::Model) -> Result<()> {
        match user.password_hash == self.password_hash {
            true => Ok(()),
            false => Err(Error::Busy),
        }
    }
}

impl Sessions {
    /// Checks the password of who is signed in, given in this field, and with `code` the second factor or a recovery code as
    /// well. What is wrong counts as a failed sign-in does.
    pub async fn prove(
        &self,
        actor: &Actor,
        field: &str,
        password: String,
        code: Option<String>,
        client: &Client,
    ) -> Result<Proof> {
        let gone = || Error::internal("an actor without a user");
        let transaction = self.store.database().begin(KEY).await?;
        let found = users::Entity::find_by_id(actor.user_id).one(&transaction).await?.ok_or_else(gone)?;
        // As in signing in: nothing is locked and no connection held during the check.
        self.store.database().commit(transaction).await?;
        if found.password_hash.is_none() {
            return Err(Error::Precondition(
                "You sign in through an identity provider and have no password here. Use the provider's settings."
                    .into(),
            ));
        }
        if code.is_some() && !found.mfa_enabled {
            return Err(Error::Precondition("You have no second factor. Enrol one with enrolMfa first.".into()));
        }
        let right = password::verify(password, found.password_hash.clone()).await?;
        let transaction = self.store.database().begin(KEY).await?;
        let user = users::Entity::find_by_id(actor.user_id).lock_exclusive().one(&transaction).await?;
        let user = user.ok_or_else(gone)?;
        let now = Utc::now().fixed_offset();
        let locked = is_locked(&user, now);
        let right = right && !locked && user.password_hash == found.password_hash;
        let shown = match (&code, right) {
            (_, false) => None,
            (None, true) => Some(Shown::Unneeded),
            (Some(code), true) => {
                second_factor::shown(&transaction, &self.encryption, &user, Some(code.as_str()), now).await?
            }
        };
        let Some(shown) = shown else {
            let entry = Entry::new("PASSWORD_REFUSED", "Gave a wrong password or code while signed in");
            fail(&transaction, user, entry, Some(actor.session_id), client, now).await?;
            self.store.database().commit(transaction).await?;
            return Err(match locked {
                true => Error::Precondition(
                    "The account is locked for a while after repeated failures. Try again in 15 minutes.".into(),
                ),
                false => Error::invalid(
                    field,
                    match code {
                        None => {
                            "The password is wrong. After five failures in a row the account is locked for 15 minutes."
                        }
                        Some(_) => {
                            "The password or the code is wrong, or the code was used before. After five failures in a row the \
                             account is locked for 15 minutes."
                        }
                    },
                ),
            });
        };
        let step = second_factor::spend(&transaction, &user, shown, Some(actor.session_id), client, now).await?;
        if step != user.mfa_last_step || user.failed_login_attempts != 0 {
            let mut user = user.into_active_model();
            user.failed_login_attempts = Set(0);
            user.mfa_last_step = Set(step);
            user.update(&transaction).await?;
        }
        self.store.database().commit(transaction).await?;
        Ok(Proof { password_hash: found.password_hash })
    }
}
