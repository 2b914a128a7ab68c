//! The words of a line, read from left to right.

use std::collections::VecDeque;

use sigeli_verifier::{
    bounded::Text,
    ids::EctsTenths,
    time::Day,
    transaction::{FieldPrefix, FieldPrefixes, Level, Name},
};

use crate::text::day;

/// A word; names with blanks stand in quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Bare(String),
    Quoted(String),
}

/// The words that are left of a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(VecDeque<Word>);

impl Words {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut words = VecDeque::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (word, after) = quoted.split_once('"').ok_or("a quotation mark is not closed")?;
                words.push_back(Word::Quoted(word.to_owned()));
                rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix(';') {
                words.push_back(Word::Bare(";".to_owned()));
                rest = after.trim_start();
            } else {
                let end = rest.find([' ', ';', '"']).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                words.push_back(Word::Bare(word.to_owned()));
                rest = after.trim_start();
            }
        }
        Ok(Self(words))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next word, whatever it is.
    pub(crate) fn word(&mut self) -> Result<String, String> {
        match self.0.pop_front() {
            Some(Word::Bare(word) | Word::Quoted(word)) => Ok(word),
            None => Err("the line ends too early".to_owned()),
        }
    }

    /// The next word, in quotation marks.
    pub(crate) fn quoted(&mut self) -> Result<String, String> {
        match self.0.pop_front() {
            Some(Word::Quoted(word)) => Ok(word),
            other => Err(format!("a name in quotation marks is expected, not {other:?}")),
        }
    }

    pub(crate) fn quoted_comes(&self) -> bool {
        matches!(self.0.front(), Some(Word::Quoted(_)))
    }

    pub(crate) fn comes(&self, expected: &str) -> bool {
        matches!(self.0.front(), Some(Word::Bare(word)) if word == expected)
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, expected: &str) -> bool {
        let comes = self.comes(expected);
        if comes {
            self.0.pop_front();
        }
        comes
    }

    pub(crate) fn expect(&mut self, expected: &str) -> Result<(), String> {
        if self.take(expected) { Ok(()) } else { Err(format!("{expected:?} is expected before {:?}", self.0)) }
    }

    /// Nothing is left.
    pub(crate) fn finish(&self) -> Result<(), String> {
        if self.is_empty() { Ok(()) } else { Err(format!("{:?} is not understood", self.0)) }
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("{word:?} is no such number"))
    }

    pub(crate) fn day(&mut self) -> Result<Day, String> {
        day(&self.word()?)
    }

    /// Items separated by commas; `none` for none.
    pub(crate) fn list(&mut self) -> Result<Vec<String>, String> {
        let word = self.word()?;
        Ok(if word == "none" { Vec::new() } else { word.split(',').map(str::to_owned).collect() })
    }

    /// Credits such as `3.0`.
    pub(crate) fn ects(&mut self) -> Result<EctsTenths, String> {
        let word = self.word()?;
        let wrong = || format!("{word:?} are no credits such as 3.0");
        let (whole, tenth) = word.split_once('.').ok_or_else(wrong)?;
        let (whole, tenth): (u16, u16) = (whole.parse().map_err(|_| wrong())?, tenth.parse().map_err(|_| wrong())?);
        if tenth > 9 { Err(wrong()) } else { Ok(EctsTenths::new(whole * 10 + tenth)) }
    }

    pub(crate) fn level(&mut self) -> Result<Level, String> {
        level(&self.word()?)
    }

    pub(crate) fn levels(&mut self) -> Result<Vec<Level>, String> {
        self.list()?.iter().map(|word| level(word)).collect()
    }

    pub(crate) fn fields(&mut self) -> Result<FieldPrefixes, String> {
        let prefixes = self.list()?.iter().map(|word| FieldPrefix::parse(word)).collect::<Option<Vec<_>>>();
        let prefixes = prefixes.ok_or("fields have 2, 3 or 4 digits")?;
        FieldPrefixes::new(prefixes).map_err(|error| error.to_string())
    }

    /// A public name in quotation marks; may be empty.
    pub(crate) fn name(&mut self) -> Result<Name, String> {
        name(&self.quoted()?)
    }
}

pub(crate) fn level(word: &str) -> Result<Level, String> {
    word.parse().ok().and_then(Level::new).ok_or_else(|| format!("{word:?} is no level from 1 to 8"))
}

pub(crate) fn name(text: &str) -> Result<Name, String> {
    Text::new(text).map_err(|error| error.to_string())
}

/// A code by its name in small letters: `monitoring_failed` is `MonitoringFailed`.
pub(crate) fn code<T: Copy + std::fmt::Debug>(all: &[T], word: &str) -> Result<T, String> {
    let found = all.iter().copied().find(|value| small(&format!("{value:?}")) == word);
    found.ok_or_else(|| format!("{word:?} is none of {all:?}"))
}

/// `MonitoringFailed` as `monitoring_failed`.
pub(crate) fn small(name: &str) -> String {
    let mut out = String::new();
    for (position, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && position > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
