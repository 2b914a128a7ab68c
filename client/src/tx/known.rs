//! What is known about those who may sign a draft, and about what it speaks of: from the genesis document, without a
//! network, or from nodes.
//!
//! The genesis document says who the founding authorities were and what their keys were then; its hash is the ledger's
//! identity, so that nobody can slip in another one. Nodes say how it is now; with a trust file they have to prove it, and
//! the ledger itself judges again when a transaction is handed in.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use sigeli_verifier::{
    bounded::List,
    crypto::PublicKey,
    decode::{Decode, DecodeError, Reader},
    domain,
    ids::{
        AuthorityId, AuthoritySequence, GenesisHash, GovernanceSequence, Height, InstitutionId, KeyIndex, PermissionId,
        TimeMs,
    },
    params::{AUTHORITIES_MAX, AUTHORITY_KEYS_MAX, VALIDATORS_MAX},
    proof::{EntryProof, InstitutionAnswer, ProofError, StateProof},
    record::{AuthorityRecord, GovernanceRecord, InstitutionFacts, KeyRecord, PermissionRecord, Policy},
    register,
    transaction::{AuthorityKind, Draft, Name, Payload, Sender, Transaction, joint_key_parts},
    trust::{NetworkKind, Trust, TrustedLedger},
    validators::Validator,
};

use crate::{
    files::{self, FileError},
    remote::{Absent, Remote, RemoteError, Stated},
};

/// Largest genesis document that is read, in bytes.
const GENESIS_BYTES_MAX: u64 = 1024 * 1024;
/// Most observers in a genesis document.
const OBSERVERS_MAX: usize = 256;
/// Bytes of the parameters of consensus at the end of a genesis document.
const CONSENSUS_PARAMETERS_BYTES: usize = 40;

/// What a ledger is called, and whether what it says counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerName {
    /// Whether it counts.
    pub kind: NetworkKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
}

/// Where knowledge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The genesis document: how it was at the beginning.
    Genesis,
    /// Nodes: how it is, as they say.
    Nodes {
        /// The newest block that the nodes knew.
        height: Height,
        /// That block's time.
        time: TimeMs,
        /// Whether what is known of authorities and institutions was proved against the trust file. The keys of
        /// institutions and the content of permissions are the nodes' statement all the same.
        is_proved: bool,
    },
}

/// An authority that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAuthority {
    /// Its number.
    pub id: AuthorityId,
    /// What it is.
    pub kind: AuthorityKind,
    /// Its name in Georgian.
    pub name_ka: Name,
    /// Its name in English.
    pub name_en: Name,
    /// Its keys, in order of index; none when it was ended.
    pub keys: List<PublicKey, AUTHORITY_KEYS_MAX>,
    /// How many of them must sign.
    pub threshold: u8,
    /// The sequence number that its next transaction carries.
    pub next: AuthoritySequence,
}

impl KnownAuthority {
    fn of(id: AuthorityId, record: AuthorityRecord) -> Self {
        let AuthorityRecord { kind, name_ka, name_en, keys, threshold, log_keys: _, sequence } = record;
        let next = AuthoritySequence::new(sequence.get().saturating_add(1));
        Self { id, kind, name_ka, name_en, keys, threshold, next }
    }

    /// Its keys and their positions.
    #[must_use]
    pub fn key_positions(&self) -> Vec<(u16, PublicKey)> {
        (0..).zip(self.keys.iter().copied()).collect()
    }

    /// Whether it was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.keys.is_empty()
    }
}

/// What is known about a ledger, as far as one transaction needs it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The ledger.
    pub genesis: GenesisHash,
    /// Where the rest comes from.
    pub source: Source,
    /// Whether what the ledger says counts.
    pub kind: NetworkKind,
    /// What the ledger is called; unknown to nodes.
    pub name: Option<LedgerName>,
    /// The authorities, in ascending order of number: the founding ones, or those whose signature the draft may bear.
    pub authorities: Vec<KnownAuthority>,
    /// The policy.
    pub policy: Option<Policy>,
    /// The sequence number that the next joint transaction carries.
    pub joint_next: Option<GovernanceSequence>,
    /// The keys of the institution that sends the transaction.
    pub institution_keys: Option<Vec<(KeyIndex, KeyRecord)>>,
    /// The institutions that the transaction speaks of.
    pub institutions: Vec<(InstitutionId, InstitutionFacts)>,
    /// The permissions that it speaks of.
    pub permissions: Vec<(PermissionId, PermissionRecord)>,
}

impl Known {
    /// How many authorities must approve a joint transaction; `None` when the policy is not known.
    #[must_use]
    pub fn approvals_needed(&self) -> Option<u8> {
        let live = self.authorities.iter().filter(|authority| !authority.is_ended()).count();
        self.policy.map(|policy| policy.approvals_needed(live))
    }
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// The genesis document cannot be read.
    #[error("the genesis document: {0}")]
    File(#[from] FileError),
    /// It is not one.
    #[error("{} is not a genesis document that this program can read ({error})", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: DecodeError,
    },
    /// It is of another ledger than the transaction.
    #[error(
        "the transaction is meant for the ledger {expected}, and this is the ledger {found}: check --node and --genesis"
    )]
    OtherLedger {
        /// The transaction's.
        expected: GenesisHash,
        /// The one that was asked.
        found: GenesisHash,
    },
    /// No node answers.
    #[error("{0}")]
    Remote(#[from] RemoteError),
    /// What a node says does not verify.
    #[error(
        "the nodes give a proof that does not verify ({error}): tell the ledger's operators, and try another node with --node"
    )]
    False {
        /// The step that failed.
        error: ProofError,
    },
}

impl Known {
    /// Reads a genesis document.
    ///
    /// # Errors
    /// [`KnownError::File`], [`KnownError::Malformed`].
    pub fn from_genesis(path: &Path) -> Result<Self, KnownError> {
        let bytes = files::read(path, GENESIS_BYTES_MAX)?;
        genesis(&bytes).map_err(|error| KnownError::Malformed { path: path.to_owned(), error })
    }

    /// Refuses knowledge about another ledger than the transaction's.
    ///
    /// # Errors
    /// [`KnownError::OtherLedger`].
    pub fn check_ledger(&self, transaction: &Transaction) -> Result<(), KnownError> {
        if self.genesis == transaction.genesis {
            Ok(())
        } else {
            Err(KnownError::OtherLedger { expected: transaction.genesis, found: self.genesis })
        }
    }

    /// Asks nodes about the ledger, about those who may sign a draft, and about what it speaks of. What the ledger does not
    /// have is left out. Where the trust file lists the ledger, what is said of authorities and institutions must be proved.
    ///
    /// # Errors
    /// [`KnownError::Remote`], [`KnownError::OtherLedger`], [`KnownError::False`].
    pub async fn from_nodes(remote: &Remote, draft: &Draft, trust: Option<&Trust>) -> Result<Self, KnownError> {
        let status = remote.status().await?;
        let asked = Asked {
            remote,
            ledger: trust.and_then(|trust| trust.ledgers().iter().find(|ledger| ledger.genesis == status.genesis)),
        };
        let is_proved = asked.ledger.is_some();
        let mut known = Self {
            genesis: status.genesis,
            source: Source::Nodes { height: status.height, time: status.time, is_proved },
            kind: status.kind,
            name: None,
            authorities: Vec::new(),
            policy: None,
            joint_next: None,
            institution_keys: None,
            institutions: Vec::new(),
            permissions: Vec::new(),
        };
        let transaction = draft.body();
        known.check_ledger(transaction)?;
        known.ask_name(remote).await;
        match transaction.sender {
            Sender::Institution { institution } => {
                known.institution_keys = found(remote.institution_keys(institution).await)?;
            }
            Sender::Authority { authority, .. } => known.ask_authorities(&asked, BTreeSet::from([authority])).await?,
            Sender::Authorities { .. } => {
                let (joint, policy) = asked.governance().await?;
                known.policy = Some(policy);
                known.joint_next = Some(GovernanceSequence::new(joint.sequence.get().saturating_add(1)));
                let signed = draft.signatures().iter().map(|entry| joint_key_parts(entry.key).0);
                let all = joint.authorities.iter().copied().chain(signed).chain(authority_of(&transaction.payload));
                known.ask_authorities(&asked, all.collect()).await?;
            }
        }
        for institution in institutions_of(transaction) {
            if let Some(facts) = asked.institution(institution).await? {
                known.institutions.push((institution, facts));
            }
        }
        if let Some((institution, wanted)) = permission_of(&transaction.payload) {
            let permissions = found(remote.permissions(institution).await)?.unwrap_or_default();
            known.permissions.extend(permissions.into_iter().filter(|(number, _)| *number == wanted));
        }
        Ok(known)
    }

    /// The number that the next joint transaction carries, and the policy, for a draft that is to be made.
    ///
    /// # Errors
    /// As [`Known::from_nodes`].
    pub async fn joint(remote: &Remote, trust: Option<&Trust>) -> Result<(GovernanceSequence, Policy), KnownError> {
        let genesis = remote.status().await?.genesis;
        let ledger = trust.and_then(|trust| trust.ledgers().iter().find(|ledger| ledger.genesis == genesis));
        let (joint, policy) = Asked { remote, ledger }.governance().await?;
        Ok((GovernanceSequence::new(joint.sequence.get().saturating_add(1)), policy))
    }

    /// The ledger's name, which stands in its genesis document alone. A node that does not give that document, or gives
    /// another ledger's, is no help, and no harm either.
    async fn ask_name(&mut self, remote: &Remote) {
        let Ok(bytes) = remote.genesis_document().await else { return };
        if let Ok(founding) = genesis(&bytes)
            && founding.genesis == self.genesis
        {
            self.name = founding.name;
            self.kind = founding.kind;
        }
    }

    async fn ask_authorities(&mut self, asked: &Asked<'_>, all: BTreeSet<AuthorityId>) -> Result<(), KnownError> {
        for id in all {
            if let Some(record) = asked.authority(id).await? {
                self.authorities.push(KnownAuthority::of(id, record));
            }
        }
        Ok(())
    }

    /// An authority, if it is known.
    #[must_use]
    pub fn authority(&self, authority: AuthorityId) -> Option<&KnownAuthority> {
        self.authorities.iter().find(|known| known.id == authority)
    }

    /// The sending institution's keys and their positions, if they are known.
    #[must_use]
    pub fn institution_key_positions(&self) -> Option<Vec<(u16, PublicKey)>> {
        let keys = self.institution_keys.as_ref()?;
        Some(keys.iter().map(|(index, record)| (index.get(), record.key)).collect())
    }

    /// What an institution's record says, if it is known.
    #[must_use]
    pub fn institution(&self, institution: InstitutionId) -> Option<&InstitutionFacts> {
        self.institutions.iter().find(|(known, _)| *known == institution).map(|(_, facts)| facts)
    }

    /// A permission of the institution that the transaction speaks of, if it is known.
    #[must_use]
    pub fn permission(&self, permission: PermissionId) -> Option<&PermissionRecord> {
        self.permissions.iter().find(|(known, _)| *known == permission).map(|(_, record)| record)
    }
}

/// Nodes, and the trusted ledger that their proofs are verified against, if there is one.
struct Asked<'a> {
    remote: &'a Remote,
    ledger: Option<&'a TrustedLedger>,
}

impl Asked<'_> {
    /// The record under a name of the governance register.
    fn record<T: Decode>(&self, state: &StateProof, name: &[u8], entry: &EntryProof) -> Result<Option<T>, KnownError> {
        let key = register::key(name);
        let refused = |error| KnownError::False { error };
        let root = match self.ledger {
            Some(ledger) => state.verify(ledger).map_err(refused)?.roots().governance,
            None => state.roots.governance,
        };
        entry.verify_record(&root, &key).map_err(refused)
    }

    async fn authority(&self, id: AuthorityId) -> Result<Option<AuthorityRecord>, KnownError> {
        match found(self.remote.authority_entry(id).await)? {
            Some(Stated { state, answer }) => self.record(&state, &[1, id.get()], &answer),
            None => Ok(None),
        }
    }

    async fn governance(&self) -> Result<(GovernanceRecord, Policy), KnownError> {
        let Stated { state, answer: (joint, policy) } = self.remote.governance().await?;
        let missing = KnownError::False { error: ProofError::Value };
        match (self.record(&state, &[7], &joint)?, self.record(&state, &[2], &policy)?) {
            (Some(joint), Some(policy)) => Ok((joint, policy)),
            _ => Err(missing),
        }
    }

    async fn institution(&self, id: InstitutionId) -> Result<Option<InstitutionFacts>, KnownError> {
        let Some(Stated { state, answer }) = found(self.remote.institution_answer(id).await)? else { return Ok(None) };
        if let Some(ledger) = self.ledger {
            let refused = |error| KnownError::False { error };
            let state = state.verify(ledger).map_err(refused)?;
            return Ok(answer.verify(&state, id).map_err(refused)?.map(|confirmed| confirmed.facts().clone()));
        }
        match answer {
            InstitutionAnswer::Present(proof) => Ok(Some(proof.facts)),
            InstitutionAnswer::Absent(_) => Ok(None),
        }
    }
}

/// The authority that a transaction changes.
const fn authority_of(payload: &Payload) -> Option<AuthorityId> {
    match payload {
        Payload::AuthoritySet(set) => Some(set.authority),
        Payload::AuthorityRemove(remove) => Some(remove.authority),
        _ => None,
    }
}

/// What the ledger does not have is not known.
fn found<T>(answer: Result<T, RemoteError>) -> Result<Option<T>, RemoteError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(RemoteError::NotFound { what: Absent::Institution | Absent::Authority }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The institutions that a transaction speaks of.
fn institutions_of(transaction: &Transaction) -> Vec<InstitutionId> {
    let mut all = Vec::new();
    if let Sender::Institution { institution } = transaction.sender {
        all.push(institution);
    }
    match &transaction.payload {
        Payload::InstitutionRegister(register) => all.push(register.institution),
        Payload::InstitutionUpdate(update) => all.push(update.institution),
        Payload::InstitutionClose(close) => all.extend([close.institution, close.successor]),
        Payload::InstitutionReopen(reopen) => all.push(reopen.institution),
        Payload::KeysAdd(add) => all.push(add.institution),
        Payload::KeyRetire(retire) => all.push(retire.institution),
        Payload::KeyCompromise(compromise) => all.push(compromise.institution),
        Payload::KeyClear(clear) => all.push(clear.institution),
        Payload::ProgrammeRegister(register) => all.extend(register.partners.iter().copied()),
        Payload::PermissionGrant(grant) => all.push(grant.institution),
        Payload::PermissionChange(change) => all.push(change.institution),
        Payload::PermissionReplace(replace) => all.push(replace.grant.institution),
        Payload::PermissionAnnul(annul) => all.push(annul.institution),
        Payload::BatchStatusSet(set) => all.push(set.institution),
        Payload::BatchAnnul(annul) => all.push(annul.institution),
        Payload::StatusOrder(order) => all.push(order.institution),
        Payload::StatusAnnul(annul) => all.push(annul.institution),
        Payload::BatchAnchor(_)
        | Payload::StatusSet(_)
        | Payload::AuthorityKeysSet(_)
        | Payload::AuthoritySet(_)
        | Payload::AuthorityRemove(_)
        | Payload::PolicySet(_)
        | Payload::UpgradeSchedule(_) => {}
    }
    all.retain(|institution| *institution != InstitutionId::new(0));
    all.sort();
    all.dedup();
    all
}

/// The permission that a transaction changes.
const fn permission_of(payload: &Payload) -> Option<(InstitutionId, PermissionId)> {
    match payload {
        Payload::PermissionChange(change) => Some((change.institution, change.permission)),
        Payload::PermissionReplace(replace) => Some((replace.grant.institution, replace.replaced)),
        Payload::PermissionAnnul(annul) => Some((annul.institution, annul.permission)),
        _ => None,
    }
}

/// The genesis document, field by field (`docs/protocol.md` §14).
fn genesis(bytes: &[u8]) -> Result<Known, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.u16("protocol_version")?;
    let kind = NetworkKind::decode(&mut reader)?;
    let (name_ka, name_en) = (Name::decode(&mut reader)?, Name::decode(&mut reader)?);
    TimeMs::decode(&mut reader)?;
    let authorities = reader.list::<Founder>("authorities", AUTHORITIES_MAX)?;
    reader.list::<Node>("validators", VALIDATORS_MAX)?;
    reader.list::<PublicKey>("observers", OBSERVERS_MAX)?;
    let policy = Policy::decode(&mut reader)?;
    reader.bytes("consensus", CONSENSUS_PARAMETERS_BYTES)?;
    reader.finish()?;
    Ok(Known {
        genesis: GenesisHash::new(domain::GENESIS.hash(&[bytes])),
        source: Source::Genesis,
        kind,
        name: Some(LedgerName { kind, name_ka, name_en }),
        authorities: authorities.into_iter().map(|Founder(authority)| authority).collect(),
        policy: Some(policy),
        joint_next: None,
        institution_keys: None,
        institutions: Vec::new(),
        permissions: Vec::new(),
    })
}

struct Founder(KnownAuthority);

impl Decode for Founder {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let authority = KnownAuthority {
            id: AuthorityId::decode(reader)?,
            kind: AuthorityKind::decode(reader)?,
            name_ka: Name::decode(reader)?,
            name_en: Name::decode(reader)?,
            keys: List::decode(reader)?,
            threshold: reader.u8("threshold")?,
            next: AuthoritySequence::new(1),
        };
        // Keys that sign checkpoints sign no transactions.
        List::<PublicKey, AUTHORITY_KEYS_MAX>::decode(reader)?;
        Ok(Self(authority))
    }
}

/// A validator and its network key; neither signs transactions.
struct Node;

impl Decode for Node {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Validator::decode(reader)?;
        PublicKey::decode(reader)?;
        Ok(Self)
    }
}
