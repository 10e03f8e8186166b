//! What ebusy writes is what the published schemas say, judged by a validator that knows nothing of ebusy.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_analyzer::diff::compare;
use ebusy_tests::gallery;
use ebusy_tests::harness::{TempDir, machine, need_path, run};
use ebusy_tests::json_schema::{Validator, read};
use serde_json::{Value, json, to_value};
use std::path::Path;
use std::process::Command;

/// A published schema by the name of what it describes.
fn schema(name: &str) -> Value {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schema/{name}-1.schema.json")))
}

/// Holds documents against a schema, and sees that the validator minds one that lacks what each must have.
fn assert_valid(validator: &Validator, schema: &Value, documents: &[Value]) {
    let required = schema["required"][0].as_str().expect("something is required");
    let mut broken = documents.first().expect("there is one").clone();
    broken.as_object_mut().expect("an object").remove(required);
    let mut problems = validator.problems(schema, &[], &[documents, &[broken]].concat());
    let of_broken = problems.pop().unwrap_or_default();
    assert!(of_broken.iter().any(|it| it.contains(required)), "{of_broken:?}");
    let wrong: Vec<_> = problems.iter().flatten().take(5).collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", schema["$id"]);
}

#[test]
fn every_answer_about_every_host_is_what_its_schema_says() {
    let test = "formats::every_answer_about_every_host_is_what_its_schema_says";
    let Some(validator) = Validator::new(test) else { return };
    let (mut reports, mut censuses, mut diffs) = (vec![], vec![], vec![]);
    let mut before = None;
    for example in gallery::examples() {
        let query = example.ask.clone().map_or(Query::Default, Query::Text);
        let analysis = support::open(&example.host.bundle()).expect("it opens");
        reports.push(to_value(analysis.explain(&query)).expect("JSON"));
        censuses.push(to_value(analysis.census()).expect("JSON"));
        // With another host: such a comparison has all that one can have, and a warning.
        let before = before.get_or_insert_with(|| support::open(&example.host.bundle()).expect("it opens"));
        diffs.push(to_value(compare(before, &analysis, example.ask.as_deref()).diff).expect("JSON"));
    }
    assert_valid(&validator, &schema("report"), &reports);
    assert_valid(&validator, &schema("census"), &censuses);
    assert_valid(&validator, &schema("diff"), &diffs);
}

#[test]
fn what_the_command_prints_of_many_hosts_is_what_its_schemas_say() {
    let test = "formats::what_the_command_prints_of_many_hosts_is_what_its_schemas_say";
    let (Some(validator), Some(ebusy)) = (Validator::new(test), need_path(test, "EBUSY_BIN")) else { return };
    let dir = TempDir::new("formats");
    for (number, example) in gallery::examples().iter().enumerate().step_by(3) {
        let file = dir.join(format!("{number}.tar.gz"));
        std::fs::write(file, example.host.bundle()).expect("a file can be written");
    }
    std::fs::write(dir.join("broken.tar.gz"), "no archive").expect("a file can be written");
    let fleet =
        |format: &str| run(Command::new(&ebusy).arg("fleet").arg(dir.path()).args(["--format", format]));
    let whole: Value = serde_json::from_str(&fleet("json")).expect("JSON");
    assert_valid(&validator, &schema("fleet"), &[whole["fleet"].clone()]);
    let lines = fleet("ndjson");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| !line["failure"].is_null()) && lines.len() > 5, "{lines:?}");
    assert_valid(&validator, &schema("fleet-host"), &lines);
    assert_valid(&validator, &schema("fleet-host"), whole["hosts"].as_array().expect("a list"));
}

/// The JSON files of a bundle, by their names in it.
fn json_files(bundle: &Path) -> Value {
    let mut files = serde_json::Map::new();
    let inflated = flate2::read::MultiGzDecoder::new(std::fs::File::open(bundle).expect("it is there"));
    for entry in tar::Archive::new(inflated).entries().expect("a tar") {
        let entry = entry.expect("a member");
        let path = entry.path().expect("a name").components().skip(1).collect::<std::path::PathBuf>();
        if path.extension().is_some_and(|it| it == "json") {
            let content = serde_json::from_reader(entry).expect("JSON");
            files.insert(path.display().to_string(), content);
        }
    }
    Value::Object(files)
}

/// The same schema where nothing may be that it does not describe: readers ignore what they do not know, but the
/// collector writes nothing that is not told.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), json!(false));
            }
            fields.iter_mut().for_each(|(_, value)| *value = closed(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| *value = closed(value.take())),
        _ => {}
    }
    schema
}

#[test]
fn a_collected_bundle_has_what_its_schema_says_and_nothing_else() {
    let test = "formats::a_collected_bundle_has_what_its_schema_says_and_nothing_else";
    let (Some(validator), Some(collector)) = (Validator::new(test), need_path(test, "EBUSY_COLLECTOR"))
    else {
        return;
    };
    let _machine = machine();
    let dir = TempDir::new("formats");
    let live = dir.join("live.tar.gz");
    run(Command::new(&collector).arg("-q").arg("-o").arg(&live));
    // A recorded copy of a host, with a container of docker's.
    let demo = dir.join("demo.tar.gz");
    std::fs::write(&demo, ebusy_tests::demo::bundle()).expect("a file can be written");
    run(Command::new("tar").arg("xzf").arg(&demo).arg("-C").arg(dir.path()));
    let recorded = dir.join("recorded.tar.gz");
    let host = dir.join(ebusy_tests::demo::host().top());
    let id = "5a".repeat(32);
    let container = host.join("var/lib/docker/containers").join(&id);
    std::fs::create_dir_all(&container).expect("a directory can be made");
    let state = json!({"Running": true, "Pid": 1, "StartedAt": "2026-11-22T07:34:40Z"});
    let config = json!({"ID": id, "Name": "/web", "Config": {"Image": "nginx", "Env": ["A=b"]},
        "Driver": "overlay2", "State": state});
    std::fs::write(container.join("config.v2.json"), config.to_string()).expect("a file can be written");
    run(Command::new(&collector).arg("-q").arg("--root").arg(&host).arg("-o").arg(&recorded));

    let bundle = schema("bundle");
    let files = [json_files(&live), json_files(&recorded)];
    for files in &files {
        let names: Vec<&String> = files.as_object().expect("files by name").keys().collect();
        assert_eq!(names, ["manifest.json", "runtime/containers.json", "summary.json"]);
    }
    assert_eq!(files[1]["runtime/containers.json"][0]["state"], "running", "{}", files[1]);
    let problems = validator.problems(&closed(bundle.clone()), &[], &files);
    assert!(problems.iter().all(Vec::is_empty), "{problems:#?}");
    let wrong = json!({"manifest.json": {"format": "ebusy.bundle/2"}, "summary.json": {"complete": "yes"}});
    let problems = validator.problems(&bundle, &[], &[wrong]);
    assert!(problems[0].iter().any(|it| it.starts_with("$['summary.json'].complete")), "{problems:?}");
}
