//! Published vectors, read from the folder that the environment variable `SIGELI_VECTORS` names.
//!
//! When it is unset these tests print a notice and pass. When it is set, a missing file is a failure.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sigeli_verifier::{
    credential::{Profile, document_digest, leaf_commitment, status_handle},
    crypto::{PublicKey, verify_signature},
    history::{Rfc9162, is_consistent, root_from_inclusion},
    ids::{DocumentDigest, Salt, Signature},
};

#[expect(clippy::disallowed_methods, reason = "the variable says where foreign test data lies; the ledger is not run")]
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SIGELI_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("notice: SIGELI_VECTORS is not set, published vectors are not run");
    }
    // Cargo runs tests in the package's folder; a relative path is meant from where cargo was called.
    folder.map(|path| {
        let from_root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(&path);
        if path.is_relative() && !path.exists() { from_root } else { path }
    })
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json<T: DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[derive(Deserialize)]
struct Blake3Vectors {
    key: String,
    context_string: String,
    cases: Vec<Blake3Case>,
}

#[derive(Deserialize)]
struct Blake3Case {
    input_len: usize,
    hash: String,
    keyed_hash: String,
    derive_key: String,
}

#[test]
fn blake3_as_built_here_agrees_with_its_vectors_in_all_three_modes() {
    let Some(folder) = folder() else { return };
    let vectors: Blake3Vectors = json(&folder.join("blake3/test_vectors.json"));
    assert_eq!(vectors.cases.len(), 35);
    let key: &[u8; 32] = vectors.key.as_bytes().try_into().unwrap();
    for case in &vectors.cases {
        let input: Vec<u8> = (0..case.input_len).map(|position| (position % 251) as u8).collect();
        for (mut hasher, expected) in [
            (blake3::Hasher::new(), &case.hash),
            (blake3::Hasher::new_keyed(key), &case.keyed_hash),
            (blake3::Hasher::new_derive_key(&vectors.context_string), &case.derive_key),
        ] {
            let mut output = vec![0; expected.len() / 2];
            hasher.update(&input).finalize_xof().fill(&mut output);
            assert_eq!(hex::encode(output), *expected, "input of {} bytes", case.input_len);
        }
    }
    println!("BLAKE3: {} inputs, three modes each", vectors.cases.len());
}

/// Whether the one rule accepts; a key or signature that cannot be read is a refusal.
fn accepts(key: &str, message: &str, signature: &str) -> bool {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(bytes(key)), <[u8; 64]>::try_from(bytes(signature))) else {
        return false;
    };
    PublicKey::from_ed25519(&key).is_ok_and(|key| verify_signature(&key, &bytes(message), &Signature::new(signature)))
}

#[derive(Deserialize)]
struct SpeccheckCase {
    message: String,
    pub_key: String,
    signature: String,
}

#[test]
fn of_the_twelve_disputed_signatures_exactly_number_three_is_accepted() {
    let Some(folder) = folder() else { return };
    let cases: Vec<SpeccheckCase> = json(&folder.join("ed25519-speccheck/cases.json"));
    let accepted: String = cases
        .iter()
        .map(|case| if accepts(&case.pub_key, &case.message, &case.signature) { 'V' } else { 'X' })
        .collect();
    assert_eq!(accepted, "XXXVXXXXXXXX");
    println!("speccheck: {accepted}");
}

#[derive(Deserialize)]
struct Wycheproof {
    #[serde(rename = "numberOfTests")]
    count: usize,
    #[serde(rename = "testGroups")]
    groups: Vec<WycheproofGroup>,
}

#[derive(Deserialize)]
struct WycheproofGroup {
    #[serde(rename = "publicKey")]
    key: WycheproofKey,
    tests: Vec<WycheproofTest>,
}

#[derive(Deserialize)]
struct WycheproofKey {
    pk: String,
}

#[derive(Deserialize)]
struct WycheproofTest {
    #[serde(rename = "tcId")]
    id: u32,
    msg: String,
    sig: String,
    result: String,
}

#[test]
fn wycheproof_signatures_are_accepted_exactly_when_valid() {
    let Some(folder) = folder() else { return };
    let vectors: Wycheproof = json(&folder.join("wycheproof/ed25519_test.json"));
    let mut run = 0;
    let mut valid = 0;
    for group in &vectors.groups {
        for test in &group.tests {
            let expected = match test.result.as_str() {
                "valid" => true,
                "invalid" => false,
                other => panic!("test {}: result {other}", test.id),
            };
            assert_eq!(accepts(&group.key.pk, &test.msg, &test.sig), expected, "test {}", test.id);
            run += 1;
            valid += usize::from(expected);
        }
    }
    assert_eq!(run, vectors.count);
    println!("Wycheproof Ed25519: {run} signatures, {valid} of them valid");
}

/// Base64 as RFC 4648 §4 has it.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut held = 0;
    let mut out = vec![];
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = ALPHABET.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6 | value as u32) & 0x000F_FFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xFF) as u8);
        }
    }
    out
}

/// A root of the vectors. Some are placeholders of other lengths, whose one property is to equal or differ; they are
/// filled up with zeros, which keeps that property.
fn root(text: &str) -> [u8; 32] {
    let mut bytes = base64(text);
    assert!(bytes.len() <= 32);
    bytes.resize(32, 0);
    bytes.try_into().unwrap()
}

/// Proof entries; `None` when one is not a hash: the types of this crate cannot hold it, which is a refusal.
fn proof(entries: Option<&Vec<String>>) -> Option<Vec<[u8; 32]>> {
    entries.into_iter().flatten().map(|entry| base64(entry).try_into().ok()).collect()
}

#[derive(Deserialize)]
struct InclusionCase {
    #[serde(rename = "leafIdx")]
    index: u64,
    #[serde(rename = "treeSize")]
    size: u64,
    root: String,
    #[serde(rename = "leafHash")]
    leaf: String,
    proof: Option<Vec<String>>,
    #[serde(rename = "wantErr")]
    refused: bool,
    #[serde(rename = "_path")]
    path: String,
}

#[test]
fn inclusion_in_the_history_log_agrees_with_published_proofs() {
    let Some(folder) = folder() else { return };
    let cases: Vec<InclusionCase> = json(&folder.join("merkle-rfc6962/inclusion.json"));
    assert_eq!(cases.len(), 98);
    for case in &cases {
        let leaf = <[u8; 32]>::try_from(base64(&case.leaf)).ok();
        let found = leaf
            .zip(proof(case.proof.as_ref()))
            .and_then(|(leaf, proof)| root_from_inclusion::<Rfc9162>(leaf, case.index, case.size, &proof));
        assert_eq!(found == Some(root(&case.root)), !case.refused, "{}", case.path);
    }
    println!(
        "RFC 6962 inclusion: {} cases, {} accepted",
        cases.len(),
        cases.iter().filter(|case| !case.refused).count()
    );
}

#[derive(Deserialize)]
struct ConsistencyCase {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    #[serde(rename = "wantErr")]
    refused: bool,
    #[serde(rename = "_path")]
    path: String,
}

#[test]
fn consistency_of_the_history_log_agrees_with_published_proofs() {
    let Some(folder) = folder() else { return };
    let cases: Vec<ConsistencyCase> = json(&folder.join("merkle-rfc6962/consistency.json"));
    assert_eq!(cases.len(), 98);
    for case in &cases {
        let (first, second) = (root(&case.root1), root(&case.root2));
        let accepted = proof(case.proof.as_ref())
            .is_some_and(|proof| is_consistent::<Rfc9162>((case.size1, &first), (case.size2, &second), &proof));
        assert_eq!(accepted, !case.refused, "{}", case.path);
    }
    println!(
        "RFC 6962 consistency: {} cases, {} accepted",
        cases.len(),
        cases.iter().filter(|case| !case.refused).count()
    );
}

#[test]
fn leaves_and_handles_agree_with_the_worked_examples() {
    let Some(folder) = folder() else { return };
    let text = String::from_utf8(read(&folder.join("../research/leaf-vectors.txt"))).unwrap();
    let salt = Salt::new([0x11; 32]);
    let mut raw = 0;
    for line in text.lines() {
        let [file, profile, length, document, leaf, status] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let profile = match profile {
            "1" => Profile::Raw,
            "2" => Profile::Jcs,
            "3" => Profile::Jws,
            "4" => Profile::Jades,
            other => panic!("{other}"),
        };
        let digest = DocumentDigest::new(hex::decode(document).unwrap().try_into().unwrap());
        if profile == Profile::Raw {
            let bytes = read(&folder.join(file));
            assert_eq!(bytes.len().to_string(), length);
            assert_eq!(document_digest(profile, &bytes), digest, "{file}");
            raw += 1;
        }
        let found = leaf_commitment(profile, &salt, &digest);
        assert_eq!(found.to_string(), leaf, "{file}");
        assert_eq!(status_handle(&salt, &found).to_string(), status, "{file}");
    }
    assert_eq!((text.lines().count(), raw), (6, 1));
    println!("leaf vectors: {} leaves and handles, {raw} raw document", text.lines().count());
}
