//! Receipt, stamp and bundle: what a learner keeps, what is refreshed, and the file that holds both
//! (`docs/protocol.md` §10).
//!
//! A bundle carries nothing that a verifier recomputes (roots, ids, keys of registers) or trusts already (the genesis
//! hash, the validators). So a change of any byte ends in another header id, which no quorum has signed.

mod parts;

use alloc::vec::Vec;

pub use self::parts::{JoinError, RECEIPT_MAGIC, ReceiptPart, STAMP_MAGIC, StampPart, bundle_tag, receipt_tag};

use crate::{
    batch::BatchPath,
    block::HeaderProof,
    certificate::CommitCertificate,
    credential::Profile,
    decode::{Decode, DecodeError, Reader},
    encode::{Encode, put_count},
    ids::{BatchRoot, GenesisHash, InstitutionId, RegisterRoot, Salt},
    params::BUNDLE_BYTES_MAX,
    record::{BatchRecord, InstitutionFacts, PermissionRecord, StatusRecord},
    register::{AbsenceTerminal, RegisterPath},
};

/// First bytes of a bundle: name and version.
pub const BUNDLE_MAGIC: [u8; 8] = *b"SIGELIB\x01";

/// Bytes of the tags that point out a ledger and a batch for diagnosis. Security never rests on them.
pub const TAG_BYTES: usize = 8;

/// The first bytes of a genesis hash: which ledger a bundle speaks of.
#[must_use]
pub fn ledger_tag(genesis: &GenesisHash) -> [u8; TAG_BYTES] {
    genesis.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// The first bytes of a batch root: tells a changed document from a changed proof.
#[must_use]
pub fn batch_tag(root: &BatchRoot) -> [u8; TAG_BYTES] {
    root.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// What a learner keeps for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which bytes of the document are hashed.
    pub profile: Profile,
    /// The credential's salt: secret, since it hides which credential a leaf and a handle belong to.
    pub salt: Salt,
    /// The institution that anchored it.
    pub institution: InstitutionId,
    /// The first bytes of the batch root.
    pub batch: [u8; TAG_BYTES],
    /// The way from the leaf to the batch root.
    pub path: BatchPath,
}

impl Encode for Receipt {
    fn encode(&self, out: &mut Vec<u8>) {
        self.profile.encode(out);
        self.salt.encode(out);
        self.institution.encode(out);
        out.extend_from_slice(&self.batch);
        self.path.encode(out);
    }
}

impl Decode for Receipt {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            profile: Profile::decode(reader)?,
            salt: Salt::decode(reader)?,
            institution: InstitutionId::decode(reader)?,
            batch: reader.array("batch_tag")?,
            path: BatchPath::decode(reader)?,
        })
    }
}

/// What the statuses register says about a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFinding {
    /// Nothing was ever written.
    Absent(AbsenceTerminal),
    /// This was.
    Present(StatusRecord),
}

impl Encode for StatusFinding {
    /// The absence's encoding (0 or 1), or 2 and the record.
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent(terminal) => terminal.encode(out),
            Self::Present(record) => {
                out.push(2);
                record.encode(out);
            }
        }
    }
}

impl Decode for StatusFinding {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut ahead = reader.clone();
        if ahead.u8("status_finding")? == 2 {
            *reader = ahead;
            StatusRecord::decode(reader).map(Self::Present)
        } else {
            AbsenceTerminal::decode(reader).map(Self::Absent)
        }
    }
}

/// What is refreshed: one header, and where batch, institution and status stand under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The header's proof part.
    pub header: HeaderProof,
    /// The quorum's signatures.
    pub certificate: CommitCertificate,
    /// The two siblings of (institutions, batches) under the state root, lowest first.
    pub state_siblings: [[u8; 32]; 2],
    /// The batch.
    pub batch: BatchRecord,
    /// Its way to the root of batches.
    pub batch_path: RegisterPath,
    /// The institution.
    pub institution: InstitutionFacts,
    /// Its way to the root of institutions.
    pub institution_path: RegisterPath,
    /// The node over the institution's keys and permissions.
    pub keys_and_permissions: [u8; 32],
    /// What is written about the credential.
    pub status: StatusFinding,
    /// The way from there to the root of the institution's statuses.
    pub status_path: RegisterPath,
}

impl Encode for Stamp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        self.certificate.encode(out);
        for sibling in &self.state_siblings {
            out.extend_from_slice(sibling);
        }
        self.batch.encode(out);
        self.batch_path.encode(out);
        self.institution.encode(out);
        self.institution_path.encode(out);
        out.extend_from_slice(&self.keys_and_permissions);
        self.status.encode(out);
        self.status_path.encode(out);
    }
}

impl Decode for Stamp {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            header: HeaderProof::decode(reader)?,
            certificate: CommitCertificate::decode(reader)?,
            state_siblings: [reader.array("state_sibling")?, reader.array("state_sibling")?],
            batch: BatchRecord::decode(reader)?,
            batch_path: RegisterPath::decode(reader)?,
            institution: InstitutionFacts::decode(reader)?,
            institution_path: RegisterPath::decode(reader)?,
            keys_and_permissions: reader.array("keys_and_permissions")?,
            status: StatusFinding::decode(reader)?,
            status_path: RegisterPath::decode(reader)?,
        })
    }
}

/// The accreditation's record as it stands now: optional, else the programme line speaks as of registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionSection {
    /// The record. Its number is the batch's accreditation.
    pub record: PermissionRecord,
    /// Its way to the root of permissions.
    pub path: RegisterPath,
    /// The root of keys, its sibling.
    pub keys: RegisterRoot,
}

impl Encode for PermissionSection {
    fn encode(&self, out: &mut Vec<u8>) {
        self.record.encode(out);
        self.path.encode(out);
        self.keys.encode(out);
    }
}

impl Decode for PermissionSection {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            record: PermissionRecord::decode(reader)?,
            path: RegisterPath::decode(reader)?,
            keys: RegisterRoot::decode(reader)?,
        })
    }
}

/// Tag of the permission section. 2 is reserved for history inclusion, 3 for a cosigned checkpoint.
const SECTION_PERMISSION: u8 = 1;

/// A stamp and its optional sections: what a node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampFile {
    /// The stamp.
    pub stamp: Stamp,
    /// The permission section.
    pub permission: Option<PermissionSection>,
}

impl Encode for StampFile {
    /// The stamp; the number of sections as one byte; each section as tag, `u16` length, bytes, in ascending order of tag.
    fn encode(&self, out: &mut Vec<u8>) {
        self.stamp.encode(out);
        out.push(self.permission.is_some().into());
        if let Some(permission) = &self.permission {
            let bytes = permission.to_bytes();
            out.push(SECTION_PERMISSION);
            put_count(out, bytes.len());
            out.extend_from_slice(&bytes);
        }
    }
}

impl Decode for StampFile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let stamp = Stamp::decode(reader)?;
        let mut file = Self { stamp, permission: None };
        let mut last = 0_u8;
        for _ in 0..reader.u8("sections")? {
            let tag = reader.u8("section")?;
            let length = usize::from(reader.u16("section_length")?);
            let bytes = reader.bytes("section", length)?;
            if tag <= last {
                return Err(DecodeError::NonCanonical { field: "section" });
            }
            last = tag;
            match tag {
                SECTION_PERMISSION => file.permission = Some(PermissionSection::from_bytes(bytes)?),
                value => return Err(DecodeError::UnknownValue { field: "section", value: value.into() }),
            }
        }
        Ok(file)
    }
}

/// The file beside a credential: `FILE.sigeli`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The first bytes of the ledger's genesis hash.
    pub ledger: [u8; TAG_BYTES],
    /// What the learner keeps.
    pub receipt: Receipt,
    /// What is refreshed.
    pub stamp: StampFile,
}

impl Encode for Bundle {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&BUNDLE_MAGIC);
        out.extend_from_slice(&self.ledger);
        self.receipt.encode(out);
        self.stamp.encode(out);
    }
}

impl Decode for Bundle {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.remaining() > BUNDLE_BYTES_MAX {
            return Err(DecodeError::LimitExceeded { field: "bundle", limit: BUNDLE_BYTES_MAX });
        }
        if reader.array::<8>("magic")? != BUNDLE_MAGIC {
            return Err(DecodeError::NonCanonical { field: "magic" });
        }
        Ok(Self {
            ledger: reader.array("ledger_tag")?,
            receipt: Receipt::decode(reader)?,
            stamp: StampFile::decode(reader)?,
        })
    }
}
