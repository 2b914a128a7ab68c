//! Building, signing and handing in transactions, until the ledger has decided.

use std::time::{Duration, SystemTime};

use sigeli_verifier::{
    ids::{AuthorityId, GenesisHash, InstitutionId, KeyIndex, TimeMs},
    record::KeyState,
    transaction::{KeyPurposes, Payload, Sender, SignedTransaction, Transaction, TransactionSignature},
};

use crate::{
    files::FileError,
    keys::SecretKey,
    remote::{
        Authority, Decision, EXPIRED, LedgerStatus, Rejection, Remote, RemoteError, SEQUENCE_MISMATCH,
        VALIDITY_TOO_LONG,
    },
};

/// How long a signed transaction may wait for its inclusion. Half of what the ledger allows an institution, so that this
/// computer's clock may differ from ledger time by the other half.
const VALIDITY_MS: u64 = sigeli_verifier::params::INSTITUTION_VALIDITY_MS_MAX / 2;

/// The pause before a transaction is signed anew.
const PAUSE: Duration = Duration::from_millis(500);

/// How long to go on, unless told otherwise.
pub const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long to go on when only a proof is wanted and an older one is at hand.
pub const PATIENCE_READING: Duration = Duration::from_secs(10);

/// Why a transaction was not executed.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// No answer.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// The transaction could not be kept for a retry.
    #[error("{0}")]
    File(#[from] FileError),
    /// The key is none of the institution's.
    #[error(
        "this signing key is none of institution {institution}'s keys: check --key and --institution; a new key has to be \
        registered first"
    )]
    ForeignKey {
        /// The institution.
        institution: InstitutionId,
    },
    /// The key was retired, or may not be used for this.
    #[error(
        "this signing key of institution {institution} may not be used for this (any more): use another with --key"
    )]
    KeyNotAllowed {
        /// The institution.
        institution: InstitutionId,
    },
    /// A key is none of the authority's.
    #[error(
        "the signing key with the public key {key} is none of authority {authority}'s: check --key and --authority"
    )]
    ForeignAuthorityKey {
        /// The authority.
        authority: AuthorityId,
        /// The public key.
        key: String,
    },
    /// A key was given twice.
    #[error("a signing key is given twice: name each key of authority {authority} once")]
    SameKeyTwice {
        /// The authority.
        authority: AuthorityId,
    },
    /// More signatures are needed.
    #[error(
        "authority {authority} decides with {threshold} signatures, and {given} key(s) were given: name more with --key"
    )]
    TooFewKeys {
        /// The authority.
        authority: AuthorityId,
        /// How many are needed.
        threshold: u32,
        /// How many were given.
        given: usize,
    },
    /// The ledger refuses it.
    #[error("the ledger refuses this: {} (code {} {}). {}", rejection.message, rejection.code, rejection.name,
        advice(rejection.code))]
    Rejected {
        /// Its answer.
        rejection: Rejection,
    },
}

/// What a clerk can do about a refusal.
const fn advice(code: u32) -> &'static str {
    match code {
        100 | 101 | 113 | 121 => "Check whether a newer version of this program is needed.",
        110 => "Check --node: these nodes are of another ledger.",
        111 | 112 => "Set this computer's clock, then repeat the command.",
        120 | 123 | 127 | 210 => "Check --institution (or --authority) and --key.",
        124..=126 | 130 | 131 => "Use another key of the institution with --key.",
        129 => "Check --authority: this decision is another authority's.",
        132 => "Ask the quality agency (NCEQE): a closed institution writes nothing.",
        128 | 136 => "Another transaction took its number: make a new one with `sigeli tx new`.",
        222..=224 => {
            "Compare --coordinator, --programme and the titles with what `sigeli programme register` registered."
        }
        206 | 207 => "Check the institution's data: it may be registered already.",
        301..=303 | 321 | 322 => "Ask the quality agency (NCEQE) about the institution's authorisation.",
        304..=308 | 323 | 324 => "Ask the Ministry about the order for the pilot.",
        325..=327 => "Ask the quality agency (NCEQE) about the accreditation, or name the one that took its place.",
        309 | 310 => "Check --accreditation: it is the number that the accreditation got when it was granted.",
        311..=319 => {
            "Compare level, field, credits and date of issue with the accreditation, then prepare the batch anew."
        }
        320 => "Go on tomorrow, or ask for a larger quota.",
        401 => "Look at the credential's present status: `sigeli stamp FILE`, then `sigeli verify FILE`.",
        332 | 402 => "Choose another --reason: 8 is for suspensions, 9 for reinstatements, the others for revocations.",
        _ => "If the reason is not clear, give the code to the ledger's operators.",
    }
}

/// What a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    /// It is in this block.
    Now(crate::remote::Committed),
    /// The same was done before.
    Before(sigeli_verifier::ids::Height),
}

/// Until when a transaction that is signed now is valid. This computer's clock may be ahead of the ledger's time, which
/// stands still between two blocks, or behind it.
fn valid_until(status: &LedgerStatus, follow_ledger: bool) -> TimeMs {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let base = if follow_ledger { status.time.get() } else { status.time.get().max(now) };
    TimeMs::new(base.saturating_add(VALIDITY_MS))
}

/// Who signs for an institution.
#[derive(Debug)]
pub(crate) struct InstitutionSigner<'a> {
    pub(crate) institution: InstitutionId,
    pub(crate) key: &'a SecretKey,
    index: KeyIndex,
}

impl<'a> InstitutionSigner<'a> {
    /// Finds the key among the institution's.
    pub(crate) async fn find(
        remote: &Remote,
        institution: InstitutionId,
        key: &'a SecretKey,
        purpose: KeyPurposes,
    ) -> Result<Self, SubmitError> {
        let public = key.public();
        let keys = remote.institution_keys(institution).await?;
        let mut own = keys.iter().filter(|(_, record)| record.key == public).peekable();
        if own.peek().is_none() {
            return Err(SubmitError::ForeignKey { institution });
        }
        let usable = own.find(|(_, record)| record.state == KeyState::Active && record.purposes.allows(purpose));
        let (index, _) = usable.ok_or(SubmitError::KeyNotAllowed { institution })?;
        Ok(Self { institution, key, index: *index })
    }

    fn sign(&self, genesis: GenesisHash, valid_until: TimeMs, payload: Payload) -> SignedTransaction {
        let sender = Sender::Institution { institution: self.institution };
        let body = Transaction { genesis, valid_until, sender, payload };
        let signature = TransactionSignature { key: self.index, signature: self.key.sign(&body.preimage()) };
        SignedTransaction::new(body, vec![signature]).expect("one signature is within the limits")
    }

    /// Hands in `payload` until it is decided. `kept` is what an earlier run handed in: it is handed in again while it is
    /// valid, so that the ledger sees one transaction. `keep` makes a new one durable before it leaves the machine.
    pub(crate) async fn submit(
        &self,
        remote: &Remote,
        payload: Payload,
        kept: Option<SignedTransaction>,
        keep: &mut (dyn FnMut(&SignedTransaction) -> Result<(), FileError> + Send),
        patience: Duration,
    ) -> Result<Done, SubmitError> {
        let started = tokio::time::Instant::now();
        let mut follow_ledger = false;
        let mut reusable = kept;
        loop {
            let status = remote.status().await?;
            let usable = reusable.take().filter(|signed| {
                let body = signed.body();
                body.payload == payload
                    && body.genesis == status.genesis
                    && body.sender == Sender::Institution { institution: self.institution }
                    && body.valid_until > status.time
            });
            let signed = match usable {
                Some(signed) => signed,
                None => {
                    let signed = self.sign(status.genesis, valid_until(&status, follow_ledger), payload.clone());
                    keep(&signed)?;
                    signed
                }
            };
            let left = patience.saturating_sub(started.elapsed());
            let rejection = match remote.submit_until_decided(&signed, left).await? {
                Decision::Committed(committed) => return Ok(Done::Now(committed)),
                Decision::Rejected(rejection) => rejection,
            };
            match (rejection.first_height, rejection.code) {
                (Some(height), _) => return Ok(Done::Before(height)),
                (None, EXPIRED) => follow_ledger = false,
                (None, VALIDITY_TOO_LONG) => follow_ledger = true,
                _ => return Err(SubmitError::Rejected { rejection }),
            }
            if started.elapsed() >= patience {
                return Err(SubmitError::Rejected { rejection });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Hands in an authority's decision until it is decided. Its content, not the transaction, makes it happen once.
pub(crate) async fn submit_as_authority(
    remote: &Remote,
    authority: AuthorityId,
    keys: &[SecretKey],
    payload: &Payload,
    patience: Duration,
) -> Result<Done, SubmitError> {
    let started = tokio::time::Instant::now();
    let mut follow_ledger = false;
    loop {
        let status = remote.status().await?;
        let record = remote.authority(authority).await?;
        let sender = Sender::Authority { authority, sequence: record.next };
        let valid_until = valid_until(&status, follow_ledger);
        let body = Transaction { genesis: status.genesis, valid_until, sender, payload: payload.clone() };
        let signed = sign_as_authority(authority, &record, keys, body)?;
        let left = patience.saturating_sub(started.elapsed());
        let rejection = match remote.submit_until_decided(&signed, left).await? {
            Decision::Committed(committed) => return Ok(Done::Now(committed)),
            Decision::Rejected(rejection) => rejection,
        };
        match (rejection.first_height, rejection.code) {
            (Some(height), _) => return Ok(Done::Before(height)),
            // Another decision of this authority came first.
            (None, SEQUENCE_MISMATCH) => {}
            (None, EXPIRED) => follow_ledger = false,
            (None, VALIDITY_TOO_LONG) => follow_ledger = true,
            _ => return Err(SubmitError::Rejected { rejection }),
        }
        if started.elapsed() >= patience {
            return Err(SubmitError::Rejected { rejection });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn sign_as_authority(
    authority: AuthorityId,
    record: &Authority,
    keys: &[SecretKey],
    body: Transaction,
) -> Result<SignedTransaction, SubmitError> {
    let preimage = body.preimage();
    let mut signatures = Vec::with_capacity(keys.len());
    for key in keys {
        let public = key.public();
        let position = record.keys.iter().position(|known| *known == Some(public));
        let index = position.and_then(|position| u16::try_from(position).ok());
        let index = index.ok_or_else(|| SubmitError::ForeignAuthorityKey { authority, key: public.to_string() })?;
        signatures.push(TransactionSignature { key: KeyIndex::new(index), signature: key.sign(&preimage) });
    }
    if u32::try_from(signatures.len()).unwrap_or(u32::MAX) < record.threshold || signatures.is_empty() {
        return Err(SubmitError::TooFewKeys { authority, threshold: record.threshold, given: keys.len() });
    }
    SignedTransaction::new(body, signatures).ok_or(SubmitError::SameKeyTwice { authority })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sigeli_verifier::{
        ids::{AuthoritySequence, Height},
        transaction::StatusSet,
        trust::NetworkKind,
    };

    fn body(sender: Sender) -> Transaction {
        let payload = Payload::StatusSet(StatusSet { entries: sigeli_verifier::bounded::List::empty() });
        Transaction { genesis: GenesisHash::new([1; 32]), valid_until: TimeMs::new(9), sender, payload }
    }

    #[test]
    fn an_authority_signs_with_its_own_keys_each_once_and_enough_of_them() {
        let keys: Vec<_> = (0..3).map(|n| SecretKey::from_seed(&[n; 32])).collect();
        let authority = AuthorityId::new(2);
        let sequence = AuthoritySequence::new(4);
        let sender = Sender::Authority { authority, sequence };
        let known = keys.iter().rev().map(|key| Some(key.public())).collect();
        let record = Authority { next: sequence, threshold: 2, keys: known };
        let signed = sign_as_authority(authority, &record, &keys[..2], body(sender)).unwrap();
        let indexes: Vec<_> = signed.signatures().iter().map(|entry| entry.key.get()).collect();
        assert_eq!(indexes, [1, 2]);
        for entry in signed.signatures() {
            let public = record.keys[usize::from(entry.key.get())].unwrap();
            assert!(signed.is_signed_by(entry, &public));
        }
        let with = |keys: &[SecretKey]| sign_as_authority(authority, &record, keys, body(sender)).unwrap_err();
        assert!(matches!(with(&keys[..1]), SubmitError::TooFewKeys { threshold: 2, given: 1, .. }));
        let twice = [SecretKey::from_seed(&[0; 32]), SecretKey::from_seed(&[0; 32])];
        assert!(matches!(with(&twice), SubmitError::SameKeyTwice { .. }));
        let foreign = [SecretKey::from_seed(&[9; 32])];
        assert!(matches!(with(&foreign), SubmitError::ForeignAuthorityKey { .. }));
    }

    #[test]
    fn validity_leaves_room_for_clocks_that_differ() {
        let status = |ms| LedgerStatus {
            genesis: GenesisHash::new([0; 32]),
            kind: NetworkKind::Test,
            height: Height::new(1),
            time: TimeMs::new(ms),
        };
        let far_ahead = u64::MAX / 2;
        assert_eq!(valid_until(&status(far_ahead), false).get(), far_ahead + VALIDITY_MS);
        assert_eq!(valid_until(&status(7), true).get(), 7 + VALIDITY_MS);
        assert!(valid_until(&status(7), false).get() > 1_700_000_000_000, "this computer's clock counts");
    }
}
