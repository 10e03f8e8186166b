//! Reads JSON by one parser, whatever it is for.
//!
//! serde makes a copy of all its reading code for each format and each source of text, and the page pays for each
//! copy. Here all text becomes a [`Value`] first, and records are taken out of that (see [`tree`]).

mod tree;

use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// Why a text does not hold the wanted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

/// Any JSON value that is the whole text.
///
/// # Errors
/// Where the text is no JSON, with line and column.
pub fn value(text: &[u8]) -> Result<Value, Unfit> {
    serde_json::from_slice(text).map_err(|error| Unfit(error.to_string()))
}

/// The JSON value that a text begins with, whatever follows; `None` where it begins with none.
pub fn first_value(text: &[u8]) -> Option<Value> {
    serde_json::Deserializer::from_slice(text).into_iter().next()?.ok()
}

/// A record from JSON. Fields that it does not have are ignored, those that it lacks get their default where they
/// have one: a newer or older ebusy may have written it.
///
/// # Errors
/// Where the text is no JSON, or not of that record; the message names the field.
pub fn record<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Result<T, Unfit> {
    tree::record(value(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        #[default]
        Plain,
        OfPid(u32),
        Named {
            name: String,
        },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Record {
        first_name: String,
        inode: Option<u64>,
        letter: Option<char>,
        kinds: Vec<Kind>,
        pair: (i64, f64),
        #[serde(default)]
        kind: Kind,
        inner: Option<Box<Record>>,
    }

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r#"{"first_name":"a","inode":18446744073709551615,"letter":"S","pair":[-1,0.5],
                "kinds":["plain",{"of-pid":7},{"named":{"name":"n"}}],"kind":{"of-pid":1},"inner":null}"#,
            r#"{"kinds":[],"unknown":{"a":[1]},"first_name":"\u00e9","pair":[0,1],
                "inner":{"first_name":"","kinds":[],"pair":[1,2.0]}}"#,
        ] {
            let wanted: Record = serde_json::from_str(text).unwrap();
            assert_eq!(record::<Record>(text.as_bytes()), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn says_which_field_does_not_fit() {
        let why = |text: &str| record::<Record>(text.as_bytes()).unwrap_err().to_string();
        assert!(why(r#"{"first_name":1}"#).starts_with("first_name: "));
        let inner =
            r#"{"first_name":"a","kinds":[],"pair":[1,2.0],"inner":{"first_name":"b","kinds":["round"]}}"#;
        assert!(why(inner).starts_with("inner: kinds: round: "), "{}", why(inner));
        assert!(why(r#"{"kinds":[],"pair":[1,2.0]}"#).contains("missing"));
        assert!(why(r#"{"first_name":"a""#).contains("line 1"), "not JSON at all");
        assert!(why("[]").contains("not of the expected kind"));
    }

    #[test]
    fn a_value_may_be_followed_by_something_else() {
        assert_eq!(first_value(b"{\"a\":1} and more"), Some(serde_json::json!({"a": 1})));
        assert_eq!(first_value(b"{\"a\""), None);
        assert!(value(b"{} and more").is_err());
    }
}
