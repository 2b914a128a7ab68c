//! Keys that a file names, and signatures under them.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{rsa::PublicKeyComponents, signature as algorithms};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use sigeli_verifier::{
    crypto::{PublicKey, verify_signature},
    ids::Signature,
};
use x509_parser::{
    certificate::X509Certificate,
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519},
    prelude::FromDer as _,
    public_key::PublicKey as CertifiedKey,
};

use super::{NotChecked, Seal, Signer};
use crate::document::{json::StrictJson, jws, text::cleaned};

type Members = Map<String, Value>;

/// Longest base58 text that is decoded, in characters: decoding takes time quadratic in it. A key of 33 bytes takes 48.
const BASE58_CHARS_MAX: usize = 512;

/// RSA keys below are too weak to say anything, and those above are no honest use.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// Smallest RSA exponent that is taken; the library's.
const RSA_EXPONENT_MIN: u64 = 65_537;

/// Longest name of a certificate's holder that is shown, in characters.
const HOLDER_CHARS_MAX: usize = 120;

/// A public key of one of the kinds that can be checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519([u8; 32]),
    /// An uncompressed point.
    P256([u8; 65]),
    /// An uncompressed point.
    P384([u8; 97]),
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

/// A public key and what the file says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    material: Material,
    signer: Signer,
}

impl Key {
    /// A JSON Web Key (RFC 7517): `OKP`/`Ed25519`, `EC`/`P-256`, `EC`/`P-384`, `RSA`.
    pub(super) fn from_jwk(jwk: &Members) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| jws::decode(text(name)?.as_bytes());
        let (material, required) = match (text("kty")?, text("crv")) {
            ("OKP", Some("Ed25519")) => (Material::Ed25519(bytes("x")?.try_into().ok()?), &["crv", "kty", "x"][..]),
            ("EC", Some(curve @ ("P-256" | "P-384"))) => {
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                let material = match curve {
                    "P-256" => Material::P256(point.try_into().ok()?),
                    _ => Material::P384(point.try_into().ok()?),
                };
                (material, &["crv", "kty", "x", "y"][..])
            }
            ("RSA", None) => (rsa(&bytes("n")?, &bytes("e")?)?, &["e", "kty", "n"][..]),
            _ => return None,
        };
        // RFC 7638: the required members in the order of their names, without white space.
        let members = required.iter().map(|name| Some(format!("\"{name}\":\"{}\"", text(name)?)));
        let canonical = format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(","));
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        let name = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}");
        Some(Self { material, signer: Signer::Key { name } })
    }

    /// A Multikey of Ed25519 (`z6Mk…`), alone or as the method-specific part of a `did:key`.
    pub(super) fn from_multikey(multikey: &str) -> Option<Self> {
        let [0xED, 0x01, key @ ..] = &*base58(multikey)? else { return None };
        let material = Material::Ed25519(key.try_into().ok()?);
        Some(Self { material, signer: Signer::Key { name: format!("did:key:{multikey}") } })
    }

    /// A DID that is its own key: `did:key` or `did:jwk`, with or without a fragment; or an address with a Multikey as its
    /// fragment, as some issuers of Open Badges write.
    pub(super) fn from_reference(reference: &str) -> Option<Self> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if let Some(multikey) = base.strip_prefix("did:key:") {
            return (fragment.is_empty() || fragment == multikey).then(|| Self::from_multikey(multikey))?;
        }
        if let Some(jwk) = base.strip_prefix("did:jwk:") {
            return Self::from_jwk(StrictJson::read(&jws::decode(jwk.as_bytes())?).ok()?.object()?);
        }
        Self::from_multikey(fragment)
    }

    /// The key of the certificate in base64 that comes first in `x5c`. Its chain, days and revocation are not judged.
    pub(super) fn from_certificate(encoded: &str) -> Option<(Self, Vec<u8>)> {
        let certificate = STANDARD.decode(encoded).ok()?;
        let (rest, parsed) = X509Certificate::from_der(&certificate).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let info = parsed.public_key();
        let curve = || info.algorithm.parameters.as_ref()?.as_oid().ok();
        let material = if info.algorithm.algorithm == OID_SIG_ED25519 {
            Material::Ed25519(info.subject_public_key.data.as_ref().try_into().ok()?)
        } else {
            match info.parsed().ok()? {
                CertifiedKey::RSA(key) => rsa(key.modulus, key.exponent)?,
                CertifiedKey::EC(point) if curve()? == OID_EC_P256 => Material::P256(point.data().try_into().ok()?),
                CertifiedKey::EC(point) if curve()? == OID_NIST_EC_P384 => {
                    Material::P384(point.data().try_into().ok()?)
                }
                _ => return None,
            }
        };
        let subject = parsed.subject();
        let named = subject.iter_organization().chain(subject.iter_common_name()).find_map(|name| name.as_str().ok());
        let holder = cleaned(named.unwrap_or_default(), HOLDER_CHARS_MAX);
        Some((Self { material, signer: Signer::Certificate { holder } }, certificate))
    }

    /// Whether `signature` is this key's over `message` by an algorithm of JOSE (RFC 7518, 8037, 9864). An algorithm that does
    /// not fit the key is not checked.
    pub(super) fn check(self, algorithm: &str, message: &[u8], signature: &[u8]) -> Seal {
        let is_valid = match (&self.material, algorithm) {
            (Material::Ed25519(key), "EdDSA" | "Ed25519") => {
                let Ok(key) = PublicKey::from_ed25519(key) else { return NotChecked::Malformed.seal() };
                signature.try_into().is_ok_and(|bytes| verify_signature(&key, message, &Signature::new(bytes)))
            }
            (Material::P256(point), "ES256") => {
                is_signed(&algorithms::ECDSA_P256_SHA256_FIXED, point, message, signature)
            }
            (Material::P384(point), "ES384") => {
                is_signed(&algorithms::ECDSA_P384_SHA384_FIXED, point, message, signature)
            }
            (Material::Rsa { modulus, exponent }, _) => {
                let parameters = match algorithm {
                    "RS256" => &algorithms::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &algorithms::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &algorithms::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &algorithms::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &algorithms::RSA_PSS_2048_8192_SHA384,
                    "PS512" => &algorithms::RSA_PSS_2048_8192_SHA512,
                    _ => return NotChecked::Method.seal(),
                };
                PublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, signature).is_ok()
            }
            _ => return NotChecked::Method.seal(),
        };
        if is_valid { Seal::Valid { signer: self.signer } } else { Seal::Broken }
    }
}

fn is_signed(
    algorithm: &'static algorithms::EcdsaVerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    algorithms::UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
}

/// An RSA key within the limits of what is checked. A key outside would make every signature look broken.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Material> {
    let without_zeros = |bytes: &[u8]| bytes.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<_>>();
    let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
    let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    // At most 33 bits are taken by the library.
    let value = exponent.iter().try_fold(0_u64, |value, byte| Some(value.checked_mul(256)? | u64::from(*byte)))?;
    let is_usable = RSA_BITS.contains(&bits) && (RSA_EXPONENT_MIN..1 << 33).contains(&value) && value % 2 == 1;
    is_usable.then_some(Material::Rsa { modulus, exponent })
}

/// Multibase text in base58 of Bitcoin (`z…`).
pub(super) fn base58(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('z').filter(|digits| digits.len() <= BASE58_CHARS_MAX)?;
    bs58::decode(digits).into_vec().ok()
}
