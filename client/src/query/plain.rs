//! What is printed for programs and kept in exports: values whose members stand in the order in which they are written
//! here, so that the same facts always give the same bytes, whatever is linked into the program.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// A value of JSON without fractions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plain {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number that is not negative.
    Number(u64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Members in the order in which they are printed; each name once.
    Object(Vec<(Cow<'static, str>, Self)>),
}

impl Plain {
    /// An object of these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&'static str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
    }

    /// A text.
    #[must_use]
    pub fn text(value: impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    /// A list of what an iterator gives.
    #[must_use]
    pub fn list<T: Into<Self>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The member of this name, when this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The same with one more member at the end. Anything but an object stays as it is.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Self>) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((name.into(), value.into()));
        }
        self
    }

    /// On one line.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("names are texts, and writing to memory does not fail")
    }

    /// On indented lines, with a line break at the end.
    #[must_use]
    pub fn pretty(&self) -> String {
        let mut text =
            serde_json::to_string_pretty(self).expect("names are texts, and writing to memory does not fail");
        text.push('\n');
        text
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(items) => items.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<bool> for Plain {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

macro_rules! numbers {
    ($($int:ty),+) => {
        $(impl From<$int> for Plain {
            fn from(value: $int) -> Self {
                Self::Number(value.into())
            }
        })+
    };
}

numbers!(u8, u16, u32, u64);

impl From<&str> for Plain {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Plain {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Plain {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order() {
        let value = Plain::object([("z", 1_u8.into()), ("a", Plain::list(["x", "\"\n"])), ("n", None::<u8>.into())]);
        assert_eq!(value.line(), r#"{"z":1,"a":["x","\"\n"],"n":null}"#);
        assert_eq!(value.with("m", true).get("m"), Some(&Plain::Bool(true)));
    }
}
