//! TypeScript declarations from a JSON Schema as schemars writes it.

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// The interfaces and unions of a schema with its definitions.
///
/// # Errors
/// Where the schema has something that no report has had so far.
pub(crate) fn declarations(schema: &Value) -> Result<String> {
    let mut text = "// Made by `cargo xtask schema` from the analyzer's types.\n".to_owned();
    let title = schema["title"].as_str().context("the schema has no title")?;
    text.push_str(&declaration(title, schema)?);
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        text.push_str(&declaration(name, definition)?);
    }
    Ok(text)
}

fn declaration(name: &str, schema: &Value) -> Result<String> {
    let doc = comment(schema, "");
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut text = format!("\n{doc}export type {name} =");
        for choice in choices {
            text.push_str(&format!("\n{}  | {}", comment(choice, "  "), type_of(choice)?));
        }
        return Ok(text + ";\n");
    }
    let Some(properties) = schema["properties"].as_object() else {
        return Ok(format!("\n{doc}export type {name} = {};\n", type_of(schema)?));
    };
    Ok(format!("\n{doc}export interface {name} {{\n{}}}\n", members(schema, properties)?))
}

fn members(schema: &Value, properties: &Map<String, Value>) -> Result<String> {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut text = String::new();
    for (name, property) in properties {
        let mark = if required.contains(&name.as_str()) { "" } else { "?" };
        let of = type_of(property).with_context(|| format!("the field {name}"))?;
        text.push_str(&format!("{}  {name}{mark}: {of};\n", comment(property, "  ")));
    }
    Ok(text)
}

fn type_of(schema: &Value) -> Result<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return Ok(reference.rsplit('/').next().unwrap_or_default().to_owned());
    }
    if let Some(constant) = schema.get("const") {
        return Ok(constant.to_string());
    }
    if let Some(choices) = schema["enum"].as_array() {
        return Ok(choices.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "));
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return union(choices.iter().map(type_of));
    }
    match &schema["type"] {
        Value::String(one) => named(one, schema),
        Value::Array(several) => {
            union(several.iter().map(|one| named(one.as_str().unwrap_or_default(), schema)))
        }
        _ => bail!("no type: {schema}"),
    }
}

fn union(types: impl Iterator<Item = Result<String>>) -> Result<String> {
    Ok(types.collect::<Result<Vec<_>>>()?.join(" | "))
}

fn named(name: &str, schema: &Value) -> Result<String> {
    Ok(match name {
        "string" | "boolean" | "null" => name.to_owned(),
        "integer" | "number" => "number".to_owned(),
        "array" => match type_of(&schema["items"])? {
            simple if simple.chars().all(char::is_alphanumeric) => format!("{simple}[]"),
            other => format!("({other})[]"),
        },
        _ => bail!("the type {name}"),
    })
}

/// The description as a doc comment, with its line end.
fn comment(schema: &Value, indent: &str) -> String {
    let Some(text) = schema["description"].as_str() else { return String::new() };
    let lines: Vec<_> = text.lines().map(|line| line.replace("*/", "* /")).collect();
    match &lines[..] {
        [one] => format!("{indent}/** {one} */\n"),
        several => {
            let body: String = several.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_kind_of_type_that_a_report_has() {
        let schema = json!({
            "title": "Report", "description": "An answer.", "type": "object", "required": ["pids", "kind"],
            "properties": {
                "pids": {"type": "array", "items": {"type": "integer"}},
                "names": {"type": "array", "items": {"type": ["string", "null"]}},
                "kind": {"$ref": "#/$defs/Kind", "description": "What\nkind."},
                "cause": {"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "null"}]},
            },
            "$defs": {"Kind": {"oneOf": [{"const": "host", "description": "This."}, {"const": "daemon"}]}},
        });
        let text = declarations(&schema).unwrap();
        for line in [
            "/** An answer. */\nexport interface Report {",
            "  pids: number[];",
            "  names?: (string | null)[];",
            "  /**\n   * What\n   * kind.\n   */\n  kind: Kind;",
            "  cause?: Kind | null;",
            "export type Kind =\n  /** This. */\n  | \"host\"\n  | \"daemon\";",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(declarations(&json!({"title": "R", "type": "tuple"})).is_err());
    }
}
