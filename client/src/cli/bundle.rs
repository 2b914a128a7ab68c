//! `sigeli bundle`: the forms in which a bundle travels.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use sigeli::{
    BUNDLE_SUFFIX, FILE_BYTES_MAX, FILE_NAME_BYTES_MAX,
    carry::{archive, code, embed, qr::Qr},
    files::{self, Access},
    query::words,
    stamp,
    values::{rfc3339, tbilisi},
    verify::{self, bundle_path},
};
use sigeli_verifier::{
    bundle::{Bundle, ReceiptPart, StampPart, StatusFinding},
    credential::Profile,
    decode::Decode as _,
    encode::Encode as _,
    params::BUNDLE_BYTES_MAX,
};

use super::{failure::Failure, note, print};

/// What the halves' names add to the document's.
const RECEIPT_SUFFIX: &str = ".sigeli-receipt";
const STAMP_SUFFIX: &str = ".sigeli-stamp";
/// The most text that `from-qr -` reads: every part of the largest bundle, and line ends.
const TEXT_BYTES_MAX: u64 = 2 * (code::PARTS_MAX as u64) * (code::CODE_CHARS_MAX as u64);

#[derive(Debug, Subcommand)]
pub(super) enum BundleCommand {
    /// Says what a bundle holds, without checking it.
    Show(ShowArgs),
    /// Parts a bundle into the receipt, which is kept for ever, and the stamp, which is refreshed.
    Split(OfDocument),
    /// Puts a receipt and a stamp together.
    Join(JoinArgs),
    /// Puts a bundle into its JSON credential, so that one file is enough.
    Embed(IntoArgs),
    /// Writes the bundle that is inside a JSON credential beside it.
    Extract(ExtractArgs),
    /// Packs a credential and its bundle into one ZIP, which verifies as it is.
    Zip(IntoArgs),
    /// Shows a bundle as QR codes, or writes them as pictures.
    Qr(QrArgs),
    /// Makes a bundle of what scanned QR codes say.
    FromQr(FromQrArgs),
}

#[derive(Debug, Args)]
pub(super) struct OfDocument {
    /// The bundle, or the credential that it lies beside or in.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    of: OfDocument,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct JoinArgs {
    /// The receipt.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// The stamp.
    #[arg(value_name = "STAMP")]
    stamp: PathBuf,
    /// Where to write the bundle; an older one there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct IntoArgs {
    /// The credential.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The bundle, where it is not beside the credential.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Where to write; an older file there is replaced. By default the credential itself, and FILE.zip for an archive.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// The credential.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write; an older file there is replaced. By default FILE.sigeli.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct QrArgs {
    #[command(flatten)]
    of: OfDocument,
    /// Write PNG pictures: NAME.png, or NAME-1.png, NAME-2.png … where one code is too small. By default the codes are shown.
    #[arg(long, value_name = "NAME")]
    out: Option<PathBuf>,
    /// Print what the codes say, one line each, instead of the codes.
    #[arg(long, conflicts_with = "out")]
    text: bool,
    /// Without the accreditation's own record, and so without the programme's title: most bundles then fit one code.
    #[arg(long)]
    small: bool,
}

#[derive(Debug, Args)]
pub(super) struct FromQrArgs {
    /// What each code says, in any order; - reads lines from the standard input.
    #[arg(value_name = "TEXT", required = true)]
    texts: Vec<String>,
    /// Where to write the bundle; an older one there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs `sigeli bundle`.
pub(super) fn bundle(command: &BundleCommand) -> Result<u8, Failure> {
    match command {
        BundleCommand::Show(args) => show(args),
        BundleCommand::Split(args) => split(args),
        BundleCommand::Join(args) => join(args),
        BundleCommand::Embed(args) => put_in(args),
        BundleCommand::Extract(args) => take_out(args),
        BundleCommand::Zip(args) => zip(args),
        BundleCommand::Qr(args) => show_codes(args),
        BundleCommand::FromQr(args) => from_codes(args),
    }
}

/// The file that a name means, its content if it is a credential, and the bundle.
fn named(path: &Path) -> Result<Bundle, Failure> {
    if path.to_string_lossy().ends_with(BUNDLE_SUFFIX) {
        return Ok(verify::read_bundle(path)?);
    }
    let file = files::read(path, FILE_BYTES_MAX)?;
    // A bundle may have any name.
    if let Ok(bundle) = Bundle::from_bytes(&file) {
        return Ok(bundle);
    }
    Ok(verify::bundle_of(&file, path, verify::read_bundle(&bundle_path(path)))?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    Ok(files::replace(path, bytes, Access::Everyone)?)
}

fn show(args: &ShowArgs) -> Result<u8, Failure> {
    let bundle = named(&args.of.file)?;
    let (receipt, stamp) = (&bundle.receipt, &bundle.stamp.stamp);
    let profile = match receipt.profile {
        Profile::Raw => "raw",
        Profile::Jcs => "jcs",
        Profile::Jws => "jws",
        Profile::Jades => "jades",
    };
    let status = match stamp.status {
        StatusFinding::Absent(_) => "nothing written",
        StatusFinding::Present(record) => words::status_state(record.state),
    };
    let (receipt_bytes, stamp_bytes) = (receipt.to_bytes().len(), bundle.stamp.to_bytes().len());
    let codes = code::texts(&bundle).len();
    if args.json {
        let json = serde_json::json!({
            "format": "sigeli-bundle-1",
            "checked": false,
            "ledger": hex::encode(bundle.ledger),
            "profile": profile,
            "institution_id": receipt.institution.get(),
            "institution": stamp.institution.name_en.as_str(),
            "institution_ka": stamp.institution.name_ka.as_str(),
            "batch": hex::encode(receipt.batch),
            "batch_leaves": receipt.path.height().leaf_count(),
            "anchored_height": stamp.batch.anchored.get(),
            "anchored_time": rfc3339(stamp.batch.anchored_time),
            "height": stamp.header.height.get(),
            "time": rfc3339(stamp.header.time),
            "status": status,
            "signatures": stamp.certificate.signatures().len(),
            "has_permission": bundle.stamp.permission.is_some(),
            "receipt_bytes": receipt_bytes,
            "stamp_bytes": stamp_bytes,
            "bundle_bytes": bundle.to_bytes().len(),
            "qr_codes": codes,
        });
        print(&format!("{json:#}\n"));
        return Ok(0);
    }
    print(&format!(
        "What this bundle says, unchecked (sigeli verify checks it):\n\
         Ledger           {}…\n\
         Institution      {} {} ({})\n\
         Document         read as {profile}\n\
         Batch            {}…, a tree of {} leaves, registered {} in block {}\n\
         Stamp            of {} (Tbilisi time), block {}, {} signature(s)\n\
         Status           {status}\n\
         Accreditation    {}\n\
         Size             {} bytes: receipt {receipt_bytes}, stamp {stamp_bytes}; {codes} QR code(s)\n",
        hex::encode(bundle.ledger),
        receipt.institution,
        stamp.institution.name_en,
        stamp.institution.name_ka,
        hex::encode(receipt.batch),
        receipt.path.height().leaf_count(),
        tbilisi(stamp.batch.anchored_time),
        stamp.batch.anchored,
        tbilisi(stamp.header.time),
        stamp.header.height,
        stamp.certificate.signatures().len(),
        if bundle.stamp.permission.is_some() { "with its record" } else { "without its record" },
        bundle.to_bytes().len(),
    ));
    Ok(0)
}

fn split(args: &OfDocument) -> Result<u8, Failure> {
    let (receipt, stamp) = named(&args.file)?.split();
    let text = args.file.to_string_lossy();
    let stem = text.strip_suffix(BUNDLE_SUFFIX).map_or_else(|| args.file.clone(), PathBuf::from);
    let (receipt_path, stamp_path) = (with_suffix(&stem, RECEIPT_SUFFIX), with_suffix(&stem, STAMP_SUFFIX));
    write(&receipt_path, &receipt.to_bytes())?;
    write(&stamp_path, &stamp.to_bytes())?;
    print(&format!(
        "The receipt is in {}: keep it for ever, with the credential.\nThe stamp is in {}: any newer one replaces it.\n",
        receipt_path.display(),
        stamp_path.display(),
    ));
    Ok(0)
}

fn join(args: &JoinArgs) -> Result<u8, Failure> {
    let limit = u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX);
    let unusable =
        |path: &Path, what: &str, error| Failure::data(format!("{} is not a {what} ({error})", path.display()));
    let receipt = ReceiptPart::from_bytes(&files::read(&args.receipt, limit)?)
        .map_err(|error| unusable(&args.receipt, "receipt", error))?;
    let stamp = StampPart::from_bytes(&files::read(&args.stamp, limit)?)
        .map_err(|error| unusable(&args.stamp, "stamp", error))?;
    let bundle = Bundle::join(receipt, stamp).map_err(|error| Failure::unusable(&error))?;
    write(&args.out, &bundle.to_bytes())?;
    print(&format!("The bundle is in {}.\n", args.out.display()));
    Ok(0)
}

/// A credential and its bundle, which belong together.
fn pair(args: &IntoArgs) -> Result<(Vec<u8>, Bundle), Failure> {
    let path = args.bundle.clone().unwrap_or_else(|| bundle_path(&args.file));
    // Sees that the bundle is this document's: the wrong one must not travel with it.
    stamp::identify(&args.file, &path)?;
    Ok((files::read(&args.file, FILE_BYTES_MAX)?, verify::read_bundle(&path)?))
}

fn put_in(args: &IntoArgs) -> Result<u8, Failure> {
    let (file, bundle) = pair(args)?;
    if bundle.receipt.profile != Profile::Jcs {
        return Err(Failure::data(format!(
            "{} was registered byte for byte or as a signed text: anything put into it would change it. Use sigeli bundle zip",
            args.file.display()
        )));
    }
    let out = args.out.as_ref().unwrap_or(&args.file);
    write(out, &embed::embed(&file, &bundle)?)?;
    print(&format!("{} holds its bundle.\n", out.display()));
    Ok(0)
}

fn take_out(args: &ExtractArgs) -> Result<u8, Failure> {
    let file = files::read(&args.file, FILE_BYTES_MAX)?;
    let Some(bundle) = embed::extract(&file)? else {
        return Err(Failure::data(format!("{} holds no bundle", args.file.display())));
    };
    let out = args.out.clone().unwrap_or_else(|| bundle_path(&args.file));
    write(&out, &bundle.to_bytes())?;
    print(&format!("The bundle is in {}.\n", out.display()));
    Ok(0)
}

fn zip(args: &IntoArgs) -> Result<u8, Failure> {
    let (file, bundle) = pair(args)?;
    let name = args.file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::data("the credential's name is no text: rename it"))?;
    let beside = format!("{name}{BUNDLE_SUFFIX}");
    if beside.len() > FILE_NAME_BYTES_MAX {
        return Err(Failure::data("the credential's name is too long for its bundle's: rename it"));
    }
    let packed = archive::pack(&[(name, &file), (&beside, &bundle.to_bytes())])?;
    let out = args.out.clone().unwrap_or_else(|| with_suffix(&args.file, ".zip"));
    write(&out, &packed)?;
    print(&format!("{} holds the credential and its bundle: sigeli verify takes it as it is.\n", out.display()));
    Ok(0)
}

fn show_codes(args: &QrArgs) -> Result<u8, Failure> {
    let mut bundle = named(&args.of.file)?;
    if args.small {
        bundle.stamp.permission = None;
    }
    let texts = code::texts(&bundle);
    for (text, number) in texts.iter().zip(1..) {
        if args.text {
            print(&format!("{text}\n"));
            continue;
        }
        let code = Qr::new(text).expect("a part is cut to what fits a code");
        let Some(name) = &args.out else {
            print(&format!("{}\n", code.terminal()));
            continue;
        };
        let suffix = if texts.len() == 1 { ".png".to_owned() } else { format!("-{number}.png") };
        let path = with_suffix(name, &suffix);
        write(&path, &code.png())?;
        print(&format!("{}\n", path.display()));
    }
    if texts.len() > 1 && !args.text {
        note(format_args!("The bundle takes {} codes; all of them are needed.", texts.len()));
    }
    Ok(0)
}

fn from_codes(args: &FromQrArgs) -> Result<u8, Failure> {
    let mut texts = args.texts.clone();
    if texts == ["-"] {
        let mut read = String::new();
        std::io::stdin()
            .lock()
            .take(TEXT_BYTES_MAX)
            .read_to_string(&mut read)
            .map_err(|error| Failure::system(&error))?;
        texts = read.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    }
    let bundle = code::bundle(&texts)?;
    write(&args.out, &bundle.to_bytes())?;
    print(&format!("The bundle is in {}.\n", args.out.display()));
    Ok(0)
}
