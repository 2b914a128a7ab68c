//! From the words of a line to the transaction that they describe.

mod authority;
mod batch;
mod institution;
mod permission;

use sigeli_verifier::{
    ids::{BatchRoot, DecisionRef, Height, InstitutionId, StatusHandle, TimeMs},
    record::Policy,
    time::{Day, Window},
    transaction::{DecisionReason, Name, Payload, StatusReason},
};

use crate::{
    cast::{Actor, Cast, Learn, institution},
    found::derived,
    words::{Words, code, name, small},
};

/// What a line asks for.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) payload: Payload,
    pub(crate) learn: Option<Learn>,
    /// By what later lines may speak of it.
    pub(crate) label: Option<String>,
}

/// What stands around a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// The block's time.
    pub(crate) time: TimeMs,
    /// The block's height.
    pub(crate) height: Height,
    /// The policy at the head.
    pub(crate) policy: Policy,
    /// The decision that authorities name.
    pub(crate) decision: DecisionRef,
}

impl From<Payload> for Act {
    fn from(payload: Payload) -> Self {
        Self { payload, learn: None, label: None }
    }
}

impl Act {
    fn learning(payload: Payload, learn: Learn) -> Self {
        Self { learn: Some(learn), ..Self::from(payload) }
    }
}

/// Reads an action after its actor.
pub(crate) fn read(cast: &Cast, scene: &Scene, actor: &Actor, mut words: Words) -> Result<Act, String> {
    let mut stage = Stage { cast, scene, actor, words: &mut words };
    let act = stage.act()?;
    words.finish()?;
    Ok(act)
}

struct Stage<'a> {
    cast: &'a Cast,
    scene: &'a Scene,
    actor: &'a Actor,
    words: &'a mut Words,
}

/// From and until when, unless a line says something else: the ledger's first year.
fn year() -> Window {
    Window::new(Day::from_civil(2027, 1, 1).unwrap(), Day::from_civil(2027, 12, 31).unwrap()).unwrap()
}

impl Stage<'_> {
    fn act(&mut self) -> Result<Act, String> {
        let verb = self.words.word()?;
        match verb.as_str() {
            "registers" if self.words.take("programme") => self.programme(),
            "registers" => self.registers(),
            "renames" => self.renames(),
            "closes" => self.closes(),
            "reopens" => self.reopens(),
            "adds" => self.adds(),
            "retires" => self.retires(),
            "declares" => self.declares(),
            "clears" => self.clears(),
            "grants" => self.grants(),
            "replaces" => self.replaces(),
            "anchors" => self.anchors(),
            "annuls" if self.words.take("withdrawal") => self.annuls_withdrawal(),
            "annuls" if self.words.take("batch") => self.annuls_batches(),
            "annuls" => self.annuls_statuses(),
            "suspends" | "reinstates" | "withdraws" if self.words.take("permission") => self.permission(&verb),
            "suspends" | "reinstates" | "revokes" if self.words.take("batch") => self.batch(&verb),
            "suspends" | "reinstates" | "revokes" | "supersedes" => self.statuses(1, &verb),
            "changes" => self.own_keys(),
            "sets" if self.words.take("policy") => self.sets_policy(),
            "sets" => self.authority(),
            "ends" => self.ends(),
            "announces" => self.announces(),
            times => match times.parse() {
                Ok(times) => {
                    self.words.expect("times")?;
                    let verb = self.words.word()?;
                    self.statuses(times, &verb)
                }
                Err(_) => Err(format!("{verb:?} is nothing that can be done")),
            },
        }
    }

    fn institution(&mut self) -> Result<InstitutionId, String> {
        institution(&self.words.word()?)
    }

    /// `because merged`; the usual reason when nothing is said.
    fn because(&mut self, usual: DecisionReason) -> Result<DecisionReason, String> {
        if !self.words.take("because") {
            return Ok(usual);
        }
        code(DecisionReason::ALL, &self.words.word()?)
    }

    fn status_reason(&mut self, usual: StatusReason) -> Result<StatusReason, String> {
        if !self.words.take("because") {
            return Ok(usual);
        }
        code(StatusReason::ALL, &self.words.word()?)
    }

    /// `of TSU`; the sender itself when nothing is said.
    fn whose(&mut self) -> Result<InstitutionId, String> {
        if self.words.take("of") || self.words.take("to") {
            return self.institution();
        }
        match self.actor {
            Actor::Institution(institution) => Ok(*institution),
            other => Err(format!("of which institution? {other:?} is none")),
        }
    }

    /// An institution acts on its own, an authority on a decision, unless the line says something else.
    const fn decision(&self) -> DecisionRef {
        self.scene.decision
    }

    fn today(&self) -> Day {
        Day::of(self.scene.time)
    }
}

/// A programme's Georgian title when none is said.
fn georgian(title: &str) -> Result<Name, String> {
    name(&format!("პროგრამა {title}"))
}

/// The root of a batch by its label.
pub(crate) fn root(label: &str) -> BatchRoot {
    BatchRoot::new(derived(b'b', label))
}

/// The number of a credential: `C17`.
pub(crate) fn credential(word: &str) -> Result<u32, String> {
    let number = word.strip_prefix('C').and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("{word:?} is no credential such as C17"))
}

/// The handle of a credential, in the order of the numbers.
pub(crate) fn handle(number: u32) -> StatusHandle {
    let mut bytes = [0xc0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    StatusHandle::new(bytes)
}

pub(crate) fn decision(label: &str) -> DecisionRef {
    DecisionRef::new(derived(b'd', label))
}

/// How a state or reason is written in a file.
pub(crate) fn written(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    small(text.split([' ', '(', '{']).next().unwrap_or(""))
}
