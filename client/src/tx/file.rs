//! Draft files: bounded and strict on reading, whole or not at all on writing.

use std::path::{Path, PathBuf};

use sigeli_verifier::{
    decode::{Decode as _, DecodeError},
    encode::Encode as _,
    ids::{AuthorityId, KeyIndex},
    params::TRANSACTION_BYTES_MAX,
    transaction::{DRAFT_MAGIC, Draft, DraftError, Sender, TransactionSignature, joint_key},
};

use super::known::Known;
use crate::{
    files::{self, Access, FileError},
    keys::SecretKey,
};

/// Largest draft file that is read, in bytes: the first bytes, then a transaction with its signatures.
pub const DRAFT_FILE_BYTES_MAX: usize = DRAFT_MAGIC.len() + TRANSACTION_BYTES_MAX;

/// Why a draft file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DraftFileError {
    /// It cannot be read or written.
    #[error("the draft: {0}")]
    File(#[from] FileError),
    /// It is not a draft, or was damaged on its way.
    #[error("{} is not a draft of a transaction that this program can read ({error}): get it again from whoever made it, and \
        check whether a newer version of this program is needed", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: DecodeError,
    },
    /// Two files cannot be merged.
    #[error("{} cannot be merged with {}: {}", path.display(), first.display(), merge_advice(error))]
    Merge {
        /// The first file.
        first: PathBuf,
        /// The one that does not fit it.
        path: PathBuf,
        /// Why.
        error: DraftError,
    },
}

fn merge_advice(error: &DraftError) -> String {
    match error {
        DraftError::DifferentTransactions { other } => format!(
            "they hold different transactions (the second has the id {other}). Either they were never the same, or one was \
             changed on its way: look at both with `sigeli tx show`"
        ),
        DraftError::DifferentSignatures => {
            "they hold two different signatures of one key, of which one at least is false: look at both with `sigeli tx \
             show --node URL`"
                .into()
        }
        DraftError::TooLarge => "together they hold more signatures than a transaction can carry".into(),
    }
}

/// Reads a draft file.
///
/// # Errors
/// [`DraftFileError::File`], [`DraftFileError::Malformed`].
pub fn read(path: &Path) -> Result<Draft, DraftFileError> {
    let limit = u64::try_from(DRAFT_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let bytes = files::read(path, limit)?;
    Draft::from_bytes(&bytes).map_err(|error| DraftFileError::Malformed { path: path.to_owned(), error })
}

/// Writes a draft under a name that must not be taken.
///
/// # Errors
/// [`DraftFileError::File`].
pub fn create(path: &Path, draft: &Draft) -> Result<(), DraftFileError> {
    Ok(files::create(path, &draft.to_bytes(), Access::Everyone)?)
}

/// Writes a draft in place of the one under that name. A crash leaves the old or the new one.
///
/// # Errors
/// [`DraftFileError::File`].
pub fn replace(path: &Path, draft: &Draft) -> Result<(), DraftFileError> {
    Ok(files::replace(path, &draft.to_bytes(), Access::Everyone)?)
}

/// Puts the signatures of several copies of one draft together.
///
/// # Errors
/// [`DraftFileError`]. Copies of different transactions are refused: so a draft that was changed after somebody had
/// signed it cannot be slipped in.
pub fn merge(first: &Path, others: &[PathBuf]) -> Result<Draft, DraftFileError> {
    let mut merged = read(first)?;
    for path in others {
        let refused = |error| DraftFileError::Merge { first: first.to_owned(), path: path.clone(), error };
        merged.merge(&read(path)?).map_err(refused)?;
    }
    Ok(merged)
}

/// Why a draft was not signed. It is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// It is not said for which authority the key signs.
    #[error("this is a joint transaction of the authorities: name yours with --authority")]
    AuthorityUnnamed,
    /// The transaction is not this authority's.
    #[error("authority {named} cannot sign this: {sender} sends it")]
    OtherAuthority {
        /// The authority named.
        named: AuthorityId,
        /// Who sends it.
        sender: String,
    },
    /// No position is named, and it is not known where the key stands.
    #[error(
        "name the position of your key in its owner's list with --index, or a node with --node (or the genesis document \
        with --genesis) where it can be looked up"
    )]
    IndexUnnamed,
    /// An authority has at most 256 positions.
    #[error("{index} is not the position of an authority's key")]
    IndexTooLarge {
        /// The position named.
        index: u16,
    },
    /// The key is none of the sender's.
    #[error("the signing key with the public key {key} is none of the keys of {sender}")]
    ForeignKey {
        /// The public key.
        key: String,
        /// Who sends it.
        sender: String,
    },
    /// Another key stands at the position.
    #[error(
        "the key at position {index} is another one{}: check --key and --index",
        elsewhere.map(|at| format!("; this one stands at position {at}")).unwrap_or_default()
    )]
    OtherKey {
        /// The position named.
        index: u16,
        /// Where the key stands, if it is one of the sender's.
        elsewhere: Option<u16>,
    },
    /// The transaction holds another signature under this position.
    #[error(
        "the draft holds another signature under position {index}, and one of the two is false: look at it with `sigeli tx \
        show --node URL`"
    )]
    OtherSignature {
        /// The position.
        index: u16,
    },
    /// An institution's transaction has one signature.
    #[error("an institution's transaction carries one signature, and this one has it")]
    OneSignature,
    /// It would carry too many signatures.
    #[error("the transaction carries as many signatures as it can")]
    Full,
}

/// Who signs, as which key of whom.
#[derive(Debug, Clone, Copy)]
pub struct Signing<'a> {
    /// The key.
    pub key: &'a SecretKey,
    /// Its position in its owner's list; looked up among what is known when absent.
    pub index: Option<u16>,
    /// The authority, where the transaction alone does not tell it.
    pub authority: Option<AuthorityId>,
}

/// Adds a signature; `false` when it was there already.
///
/// # Errors
/// [`SignError`]; the draft is then unchanged.
pub fn sign(draft: &mut Draft, signing: Signing<'_>, known: Option<&Known>) -> Result<bool, SignError> {
    let body = draft.body();
    let sender = body.sender;
    let authority = match (sender, signing.authority) {
        (Sender::Authorities { .. }, None) => return Err(SignError::AuthorityUnnamed),
        (Sender::Authorities { .. }, Some(named)) => Some(named),
        (Sender::Authority { authority, .. }, None) => Some(authority),
        (Sender::Authority { authority, .. }, Some(named)) if named == authority => Some(authority),
        (Sender::Institution { .. }, None) => None,
        (_, Some(named)) => return Err(SignError::OtherAuthority { named, sender: sender_name(&sender) }),
    };
    let public = signing.key.public();
    let listed = known.and_then(|known| match (sender, authority) {
        (Sender::Institution { .. }, _) => known.institution_key_positions(),
        (_, Some(authority)) => known.authority(authority).map(|found| found.key_positions()),
        (_, None) => None,
    });
    let index = match listed {
        None => signing.index.ok_or(SignError::IndexUnnamed)?,
        Some(listed) => {
            let found = listed.iter().find(|(_, key)| *key == public).map(|(index, _)| *index);
            match (signing.index, found) {
                (None, None) => {
                    let owner =
                        authority.map_or_else(|| sender_name(&sender), |authority| format!("authority {authority}"));
                    return Err(SignError::ForeignKey { key: public.to_string(), sender: owner });
                }
                (None, Some(found)) => found,
                (Some(named), _) if listed.contains(&(named, public)) => named,
                (Some(named), elsewhere) => return Err(SignError::OtherKey { index: named, elsewhere }),
            }
        }
    };
    let key = match authority {
        Some(authority) => {
            let position = u8::try_from(index).map_err(|_| SignError::IndexTooLarge { index })?;
            match sender {
                Sender::Authorities { .. } => joint_key(authority, position),
                _ => KeyIndex::new(position.into()),
            }
        }
        None => KeyIndex::new(index),
    };
    let entry = TransactionSignature { key, signature: signing.key.sign(&body.preimage()) };
    if draft.signatures().contains(&entry) {
        return Ok(false);
    }
    if matches!(sender, Sender::Institution { .. }) && !draft.signatures().is_empty() {
        return Err(SignError::OneSignature);
    }
    match draft.add(entry) {
        Ok(()) => Ok(true),
        Err(DraftError::DifferentSignatures) => Err(SignError::OtherSignature { index }),
        Err(DraftError::TooLarge | DraftError::DifferentTransactions { .. }) => Err(SignError::Full),
    }
}

/// How an error speaks of the sender.
fn sender_name(sender: &Sender) -> String {
    match sender {
        Sender::Institution { institution } => format!("institution {institution}"),
        Sender::Authority { authority, .. } => format!("authority {authority}"),
        Sender::Authorities { .. } => "the authorities jointly".into(),
    }
}
