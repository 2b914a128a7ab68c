//! The rules of the repository that the compiler does not hold: which crate may use which, what the verifier is built from,
//! how long a file may grow, and that the README's map is the territory.
//!
//! Every test collects all it finds wrong before it fails, and says what to do about each. Nothing here needs the network
//! on a machine that has built the workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which workspace package may use which, as the design's section "Shape" says. Everything may use the verifier, which is
/// therefore not listed. Dev-dependencies are free.
const ALLOWED_EDGES: &[(&str, &[&str])] = &[
    ("sigeli-verifier", &[]),
    ("sigeli-proto", &[]),
    ("sigeli-ledger", &[]),
    ("sigeli-store", &["sigeli-ledger"]),
    ("sigeli-consensus", &["sigeli-ledger", "sigeli-proto"]),
    ("sigeli", &["sigeli-proto"]),
    ("sigeli-node", &["sigeli-consensus", "sigeli-ledger", "sigeli-proto", "sigeli-store"]),
    ("sigeli-devnet", ANYTHING),
    ("sigeli-benches", ANYTHING),
];

/// Stands for "no limit" in [`ALLOWED_EDGES`]: the crates that nothing else is built on.
const ANYTHING: &[&str] = &["*"];

/// The verifier's own dependencies. A fifth one needs a decision record.
const VERIFIER_DIRECT: &[&str] = &["blake3", "ed25519-dalek", "sha2", "thiserror"];

/// Everything the verifier is built from on x86-64 Linux, to any depth: `cargo tree -p sigeli-verifier -e normal`. Whoever
/// trusts a verdict trusts these, so a new name is read before it is added here, and says in its commit why it came.
const VERIFIER_CLOSURE: &[&str] = &[
    "sigeli-verifier",
    // BLAKE3.
    "blake3",
    "arrayvec",
    "constant_time_eq",
    // Ed25519.
    "ed25519-dalek",
    "curve25519-dalek",
    "ed25519",
    "signature",
    "subtle",
    // SHA-2, for Ed25519 and the history log.
    "sha2",
    "digest",
    "block-buffer",
    "crypto-common",
    "hybrid-array",
    "typenum",
    // Choosing code by platform and processor.
    "cfg-if",
    "cpufeatures",
    // Error messages.
    "thiserror",
    // Only run while compiling: derive macros and what they are written with (`syn` twice, in two versions: names are
    // reviewed here, Cargo.lock pins versions).
    "curve25519-dalek-derive",
    "thiserror-impl",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
];

/// Crates without IO, and crates that bring it. Direct dependencies only: Malachite's core reaches tokio through its
/// address type, without ever starting a runtime.
const PURE: &[&str] = &["sigeli-verifier", "sigeli-ledger", "sigeli-consensus"];
const IMPURE_PREFIXES: &[&str] = &["tokio", "libp2p", "tonic", "rocksdb", "getrandom"];

/// Lines after which a source file is split.
const LINES_MAX: usize = 700;

#[test]
fn dependencies_point_one_way() {
    let metadata = workspace();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED_EDGES.iter().copied().collect();
    let ours: BTreeSet<&str> = members(&metadata).into_iter().map(|package| package.name.as_str()).collect();

    let mut problems = Vec::new();
    for package in members(&metadata) {
        let from = package.name.as_str();
        let Some(targets) = allowed.get(from) else {
            problems.push(format!("{from} is new: say in ALLOWED_EDGES what it may use"));
            continue;
        };
        for to in direct_dependencies(package) {
            let is_ours = ours.contains(to) && to != "sigeli-verifier";
            if is_ours && *targets != ANYTHING && !targets.contains(&to) {
                problems.push(format!(
                    "{from} uses {to}: move what it needs to sigeli-verifier, take it as a port, or allow the edge in a \
                     commit of its own with the reason"
                ));
            }
        }
    }
    for gone in allowed.keys().filter(|name| !ours.contains(*name)) {
        problems.push(format!("{gone} is not in the workspace: remove it from ALLOWED_EDGES"));
    }
    report("dependencies between crates", &problems);
}

#[test]
fn verifier_is_built_from_the_reviewed_list() {
    let metadata = workspace();
    let verifier = member(&metadata, "sigeli-verifier");
    let mut problems = differences(&direct_dependencies(verifier), VERIFIER_DIRECT, "VERIFIER_DIRECT");

    let tree = verifier_tree();
    let closure: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    problems.extend(differences(&closure, VERIFIER_CLOSURE, "VERIFIER_CLOSURE"));
    report("what the verifier is built from", &problems);
}

#[test]
fn rocksdb_is_used_by_the_store_alone() {
    let metadata = workspace();
    let users: BTreeSet<&str> = members(&metadata)
        .into_iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name.contains("rocksdb")))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        users,
        BTreeSet::from(["sigeli-store"]),
        "RocksDB stands behind sigeli-store, even in tests: use the store"
    );
}

#[test]
fn pure_crates_use_no_io() {
    let metadata = workspace();
    let mut problems = Vec::new();
    for name in PURE {
        for dependency in direct_dependencies(member(&metadata, name)) {
            if IMPURE_PREFIXES.iter().any(|prefix| dependency.starts_with(prefix)) {
                problems.push(format!(
                    "{name} uses {dependency}: it is pure, so take time, keys, disk and wire as arguments"
                ));
            }
        }
    }
    report("pure crates", &problems);
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let metadata = workspace();
    let mut problems = Vec::new();
    for package in members(&metadata) {
        let manifest = read(package.manifest_path.as_std_path());
        let mut lines = manifest.lines().skip_while(|line| line.trim() != "[lints]").skip(1);
        if lines.next().map(str::trim) != Some("workspace = true") {
            problems.push(format!("{}: add `[lints]` with `workspace = true`", package.manifest_path));
        }
    }
    report("lints", &problems);
}

/// Clippy reads the nearest `clippy.toml` only, so the one under `ledger/` has to repeat the root's.
#[test]
fn ledger_keeps_the_shared_clippy_rules() {
    let shared = read(&root().join("clippy.toml"));
    let ledger = read(&root().join("ledger/clippy.toml"));
    let lines: BTreeSet<&str> = ledger.lines().map(str::trim).collect();
    let problems: Vec<String> = shared
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && !lines.contains(line))
        .map(|line| format!("ledger/clippy.toml lacks this line of clippy.toml: {line}"))
        .collect();
    report("clippy's settings", &problems);
}

#[test]
fn source_files_fit_a_reader() {
    let metadata = workspace();
    let mut sources = BTreeSet::new();
    for package in members(&metadata) {
        collect_files(&folder(package), &mut sources);
    }
    sources.retain(|path| is_counted_source(path));
    assert!(
        sources.len() >= members(&metadata).len(),
        "every crate has a source file, yet only {sources:?} were found"
    );

    let problems: Vec<String> = sources
        .iter()
        .filter_map(|path| {
            let count = read(path).lines().count();
            let name = relative(path);
            (count > LINES_MAX)
                .then(|| format!("{name} has {count} lines, {LINES_MAX} at most: split it by what it owns"))
        })
        .collect();
    report("length of source files", &problems);
}

#[test]
fn readme_maps_the_crates() {
    let readme = read(&root().join("README.md"));
    let map = section(&readme, "code map");
    assert!(!map.is_empty(), "README.md needs a heading \"Code map\" with every crate's folder under it");
    let named = folders_named(&map);

    let metadata = workspace();
    let mut problems = Vec::new();
    for package in members(&metadata) {
        let crate_folder = relative(&folder(package));
        if !named.contains(crate_folder.as_str()) {
            problems.push(format!("README.md's code map lacks `{crate_folder}/` ({})", package.name));
        }
    }
    for name in named.iter().filter(|name| !root().join(name).is_dir()) {
        problems.push(format!("README.md's code map names `{name}/`, which does not exist"));
    }
    report("README.md", &problems);
}

/// What belongs to the machine or the process by which the project was written has no place in the project.
#[test]
fn files_name_no_foreign_place() {
    // Written in parts, so that this file does not find itself.
    let paths = [concat!("/wo", "rk/"), concat!("/tmp/", "target-")];
    let words = [concat!("sub", "agent"), concat!("helper", " session")];

    let files = tracked_files();
    assert!(files.len() > 10, "only {} files were found in {}", files.len(), root().display());
    let mut problems = Vec::new();
    for path in files {
        // What is not text (a PDF sample, say) is not read.
        let Some(text) = fs::read(&path).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        for (index, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let found = words.iter().find(|word| lower.contains(*word));
            if let Some(found) = found.or_else(|| paths.iter().find(|place| names_path(line, place))) {
                problems.push(format!("{}:{}: \"{found}\": say it without", relative(&path), index + 1));
            }
        }
    }
    report("foreign names", &problems);
}

// ---- What the tests are written with ----

/// Fails with all of `problems`, one a line.
#[track_caller]
fn report(subject: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{subject}:\n  {}", problems.join("\n  "));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("devnet stands in the workspace").to_path_buf()
}

/// The workspace's own manifests. Without the dependencies' (`--no-deps`): those would be fetched for every platform.
fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned(), "--locked".to_owned()])
        .exec()
        .expect("the workspace's manifests are read by cargo")
}

fn members(metadata: &Metadata) -> Vec<&Package> {
    metadata.workspace_packages()
}

fn member<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    members(metadata)
        .into_iter()
        .find(|package| package.name.as_str() == name)
        .expect("the crates this file names are in the workspace")
}

fn folder(package: &Package) -> PathBuf {
    package.manifest_path.parent().expect("a manifest stands in a folder").as_std_path().to_path_buf()
}

/// What the package's own code is compiled with or built by, on any platform.
fn direct_dependencies(package: &Package) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
        .collect()
}

/// One line per package the verifier is built from, itself included, with the features that it alone asks for (`cargo
/// metadata` would add those the rest of the workspace asks for). The platform is fixed, so that the list is the same
/// wherever the test runs.
fn verifier_tree() -> String {
    let tree = |offline: bool| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(root()).args(["tree", "--locked", "--package", "sigeli-verifier", "--edges", "normal"]);
        command.args(["--prefix", "none", "--target", "x86_64-unknown-linux-gnu"]);
        if offline {
            command.arg("--offline");
        }
        command.output().expect("cargo, which runs this test, can be run")
    };
    let mut output = tree(true);
    if !output.status.success() {
        // Another platform than the fixed one: its packages may not have been fetched yet.
        output = tree(false);
    }
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn differences(found: &BTreeSet<&str>, reviewed: &[&str], list: &str) -> Vec<String> {
    let reviewed: BTreeSet<&str> = reviewed.iter().copied().collect();
    let new = found.difference(&reviewed).map(|name| {
        format!("{name} is new: do without it, or review it and add it to {list}, with the reason in the commit")
    });
    let gone = reviewed.difference(found).map(|name| format!("{name} is no longer used: remove it from {list}"));
    new.chain(gone).collect()
}

fn is_counted_source(path: &Path) -> bool {
    let is_test = path.file_name().is_some_and(|name| name == "tests.rs")
        || path.strip_prefix(root()).is_ok_and(|inner| inner.components().any(|part| part.as_os_str() == "tests"));
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    is_rust && !is_test && !read(path).lines().take(5).any(|line| line.contains("@generated"))
}

/// Adds every file below `folder`, but for hidden folders and those a build makes.
fn collect_files(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace is readable") {
        let entry = entry.expect("a folder's entry is readable");
        let kind = entry.file_type().expect("an entry has a type");
        let name = entry.file_name();
        if kind.is_file() {
            files.insert(entry.path());
        } else if kind.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            collect_files(&entry.path(), files);
        }
    }
}

/// The files under version control; in a copy without history, all files.
fn tracked_files() -> BTreeSet<PathBuf> {
    let listing = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output();
    let mut files = BTreeSet::new();
    if let Ok(output) = listing {
        let names = String::from_utf8_lossy(&output.stdout).into_owned();
        files.extend(names.split_terminator('\0').map(|name| root().join(name)));
    }
    if files.is_empty() {
        collect_files(&root(), &mut files);
    }
    files
}

/// Whether `line` holds the absolute path `place`, rather than a longer path with the same letters in its middle.
fn names_path(line: &str, place: &str) -> bool {
    line.match_indices(place)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~".contains(before)))
}

/// The lines under the first heading that contains `title`, up to the next heading.
fn section(markdown: &str, title: &str) -> String {
    let mut is_code = false;
    let mut is_inside = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        is_code ^= line.trim_start().starts_with("```");
        if line.starts_with('#') && !is_code {
            if is_inside {
                break;
            }
            is_inside = line.to_lowercase().contains(title);
        } else if is_inside {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// The words that end in a slash, without it: `ledger/store/` names `ledger/store`.
fn folders_named(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| character.is_whitespace() || "`|()[]<>,;:\"".contains(character))
        .filter_map(|word| word.strip_suffix('/'))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[expect(clippy::panic, reason = "a file these tests need is missing: the test fails, with its name")]
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}
