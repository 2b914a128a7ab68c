//! Names out of a document, made safe to print and chosen by language.

use serde_json::Value;

/// Longest name that is shown, in characters; the rest becomes one `…`.
const NAME_CHARS_MAX: usize = 200;

/// A name in the languages a verdict is written in. Cleaned for display: one line, no control or direction-changing
/// characters, at most 200 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalText {
    georgian: Option<String>,
    english: Option<String>,
    other: Option<String>,
}

impl LocalText {
    /// The Georgian text, else the one without a language or in another one, else the English one.
    #[must_use]
    pub fn georgian(&self) -> Option<&str> {
        self.georgian.as_deref().or(self.other.as_deref()).or(self.english.as_deref())
    }

    /// The English text, else the one without a language or in another one, else the Georgian one.
    #[must_use]
    pub fn english(&self) -> Option<&str> {
        self.english.as_deref().or(self.other.as_deref()).or(self.georgian.as_deref())
    }

    /// Reads the shapes in use: a string; a language map `{"en": "…", "ka": ["…"]}` (ELM); `{"@value", "@language"}` or an
    /// array of those (VC 2.0). `None` if nothing printable is found.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let mut text = Self::default();
        match value {
            Value::Array(entries) => entries.iter().for_each(|entry| text.add_tagged(entry)),
            Value::Object(members) if !members.contains_key("@value") => {
                for (language, entry) in members.iter().filter(|(name, _)| is_language(name)) {
                    text.add(Some(language), first_string(entry));
                }
            }
            _ => text.add_tagged(value),
        }
        (text != Self::default()).then_some(text)
    }

    /// Two parts of a name (given and family), joined language by language.
    pub(super) fn joined(first: Self, second: Self) -> Self {
        let join = |first: Option<String>, second: Option<String>| match (first, second) {
            (Some(first), Some(second)) => Some(cleaned(&format!("{first} {second}"), NAME_CHARS_MAX)),
            _ => None,
        };
        let joined = Self {
            georgian: join(first.georgian.clone(), second.georgian.clone()),
            english: join(first.english.clone(), second.english.clone()),
            other: join(first.other.clone(), second.other.clone()),
        };
        if joined == Self::default() {
            Self { other: join(first.english().map(str::to_owned), second.english().map(str::to_owned)), ..joined }
        } else {
            joined
        }
    }

    fn add_tagged(&mut self, entry: &Value) {
        match entry {
            Value::String(string) => self.add(None, Some(string)),
            Value::Object(members) => {
                let language = members.get("@language").and_then(Value::as_str);
                self.add(language, members.get("@value").and_then(Value::as_str));
            }
            _ => {}
        }
    }

    /// Keeps the first text of each kind.
    fn add(&mut self, language: Option<&str>, text: Option<&str>) {
        let Some(text) = text.map(|text| cleaned(text, NAME_CHARS_MAX)).filter(|text| !text.is_empty()) else {
            return;
        };
        let primary = language.and_then(|tag| tag.split('-').next()).map(str::to_ascii_lowercase);
        let slot = match primary.as_deref() {
            Some("ka") => &mut self.georgian,
            Some("en") => &mut self.english,
            _ => &mut self.other,
        };
        slot.get_or_insert(text);
    }
}

/// Whether a member's name looks like a language tag: two or three letters, then subtags (`ka`, `en-GB`).
fn is_language(name: &str) -> bool {
    let primary = name.split('-').next().unwrap_or_default();
    matches!(primary.len(), 2..=3) && primary.bytes().all(|byte| byte.is_ascii_alphabetic()) && primary != "id"
}

fn first_string(value: &Value) -> Option<&str> {
    match value {
        Value::Array(entries) => entries.first().and_then(Value::as_str),
        _ => value.as_str(),
    }
}

/// `text` as one printable line of at most `chars_max` characters: runs of white space and control characters become one
/// blank; characters that change the writing direction or are invisible are dropped, so that a document cannot dress up
/// the terminal or the sentence it is shown in.
pub(super) fn cleaned(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut blank_due = false;
    for character in text.chars() {
        if character.is_control() || character.is_whitespace() {
            blank_due = count > 0;
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        let needed = if blank_due { 2 } else { 1 };
        if count + needed > chars_max {
            line.push('…');
            break;
        }
        if blank_due {
            line.push(' ');
        }
        line.push(character);
        count += needed;
        blank_due = false;
    }
    line
}

/// Whether a character shows nothing, or turns the writing direction of what follows it.
#[must_use]
pub const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{61C}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn both(value: &Value) -> Option<(String, String)> {
        let text = LocalText::read(value)?;
        Some((text.georgian()?.to_owned(), text.english()?.to_owned()))
    }

    #[test]
    fn every_shape_in_use_is_read() {
        let pair = |georgian: &str, english: &str| Some((georgian.to_owned(), english.to_owned()));
        for (value, expected) in [
            (json!("Ana"), pair("Ana", "Ana")),
            (json!({"en": "Ana", "ka": ["ანა", "ანი"]}), pair("ანა", "Ana")),
            (json!({"en-GB": "Ana"}), pair("Ana", "Ana")),
            (json!({"fr": "Anne", "en": "Ana"}), pair("Anne", "Ana")),
            (json!({"@value": "ანა", "@language": "ka"}), pair("ანა", "ანა")),
            (json!([{"@value": "ანა", "@language": "ka"}, {"@value": "Ana", "@language": "en"}]), pair("ანა", "Ana")),
            (json!(["first", "second"]), pair("first", "first")),
            (json!({"id": "urn:x", "type": "Person"}), None),
            (json!(""), None),
            (json!(" \u{202E}\n"), None),
            (json!(null), None),
            (json!(17), None),
            (json!({"en": 5}), None),
            (json!([]), None),
        ] {
            assert_eq!(both(&value), expected, "{value}");
        }
    }

    #[test]
    fn text_is_one_printable_line() {
        assert_eq!(cleaned("  a\u{1b}[31m\tb\r\n\u{85}c \u{202E}d\u{200B}e ", 50), "a [31m b c de");
        assert_eq!(cleaned("ანა", 3), "ანა");
        assert_eq!(cleaned("ანა-მ", 3), "ანა…");
        assert_eq!(cleaned("a b", 2), "a…");
        assert_eq!(cleaned("ab  ", 2), "ab");
    }

    #[test]
    fn parts_of_a_name_join_by_language() {
        let text = |value: Value| LocalText::read(&value).expect("the test gives a text");
        let joined =
            LocalText::joined(text(json!({"en": "Ana", "ka": "ანა"})), text(json!({"en": "Kipiani", "ka": "ყიფიანი"})));
        assert_eq!((joined.georgian(), joined.english()), (Some("ანა ყიფიანი"), Some("Ana Kipiani")));
        let mixed = LocalText::joined(text(json!({"en": "Ana"})), text(json!("Kipiani")));
        assert_eq!(mixed.english(), Some("Ana Kipiani"));
    }
}
