//! The analyzer from Node, as somebody calls it who installed the package.

#![allow(clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_tests::harness::{TempDir, need_command, need_path, output, run};
use serde_json::Value;
use std::process::Command;

#[test]
fn node_gets_the_commands_report() {
    let test = "node_gets_the_commands_report";
    let Some(node) = need_command(test, "node") else { return };
    let (Some(package), Some(demo), Some(ebusy)) =
        (need_path(test, "EBUSY_NPM"), need_path(test, "EBUSY_DEMO"), need_path(test, "EBUSY_BIN"))
    else {
        return;
    };
    let script = "const { analyze } = require(process.argv[1]);
        const bundle = require('node:fs').readFileSync(process.argv[2]);
        process.stdout.write(JSON.stringify(analyze(bundle, { id: 'shop-frontend' })));";
    let said = run(Command::new(&node).args(["-e", script]).arg(&package).arg(&demo));
    let of_node: Value = serde_json::from_str(&said).unwrap_or_default();
    let mut command = Command::new(ebusy);
    command.arg("analyze").arg(demo).args(["--id", "shop-frontend", "--format", "json"]);
    let of_command: Value = serde_json::from_str(&run(&mut command)).unwrap_or_default();
    assert_eq!(of_node["schema"], "ebusy.report/1");
    assert_eq!(of_node, of_command);
}

#[test]
fn node_is_told_why_a_file_is_no_bundle() {
    let test = "node_is_told_why_a_file_is_no_bundle";
    let Some(node) = need_command(test, "node") else { return };
    let Some(package) = need_path(test, "EBUSY_NPM") else { return };
    let script = "const { analyze, OpenError } = require(process.argv[1]);
        try { analyze(new Uint8Array([0x89, 0x50, 0x4e, 0x47])); } catch (error) {
            console.log(error instanceof OpenError, error.code.length > 0, error.advice.length > 0);
        }";
    assert_eq!(run(Command::new(&node).args(["-e", script]).arg(&package)), "true true true\n");
}

#[test]
fn the_types_fit_the_package() {
    let test = "the_types_fit_the_package";
    let Some(package) = need_path(test, "EBUSY_NPM") else { return };
    let dir = TempDir::new("types");
    // The names that the types export are those that the package has, as far as they are values.
    let types = std::fs::read_to_string(package.join("index.d.ts")).unwrap_or_default();
    let code = std::fs::read_to_string(package.join("index.js")).unwrap_or_default();
    for name in ["analyze", "OpenError"] {
        assert!(types.contains(&format!(" {name}")) && code.contains(name), "{name}");
    }
    // `npm pack` takes exactly what is needed to run it.
    let manifest = std::fs::read_to_string(package.join("package.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    for file in manifest["files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        std::fs::copy(package.join(file), dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let Some(node) = need_command(test, "node") else { return };
    let loaded =
        output(Command::new(node).args(["-e", "require(process.argv[1])"]).arg(dir.join("index.js")));
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
}

/// What a caller writes, and what the types must refuse.
const TYPED: &str = r#"import { analyze, OpenError } from "ebusy-analyzer";
const report = analyze(new Uint8Array(), { id: "shop-frontend" });
const status: "held" | "free" | "unknown" = report.verdict.status;
for (const holder of report.holders) {
  const pids: number[] = holder.pids;
  for (const remedy of holder.remedies) console.log(status, pids, holder.unit, remedy.command);
}
try { analyze(new Uint8Array([1])); } catch (error) {
  if (error instanceof OpenError) console.log(error.code, error.advice);
}
// @ts-expect-error: no such field
report.verdict.stats;
// @ts-expect-error: bytes, not a path
analyze("bundle.tar.gz");
"#;

#[test]
fn a_compiler_takes_the_types() {
    let test = "a_compiler_takes_the_types";
    let (Some(node), Some(package)) = (need_command(test, "node"), need_path(test, "EBUSY_NPM")) else {
        return;
    };
    // As with axe-core: where there is no npm, the other tests are all there is.
    let Some(compiler) = std::env::var_os("EBUSY_TSC") else { return };
    let dir = TempDir::new("typed");
    let modules = dir.join("node_modules");
    std::fs::create_dir(&modules).unwrap_or_else(|error| panic!("{error}"));
    std::os::unix::fs::symlink(package, modules.join("ebusy-analyzer"))
        .unwrap_or_else(|error| panic!("{error}"));
    std::fs::write(dir.join("typed.ts"), TYPED).unwrap_or_else(|error| panic!("{error}"));
    let mut compile = Command::new(node);
    compile.arg(compiler).args(["--noEmit", "--strict", "--skipLibCheck", "false", "--preserveSymlinks"]);
    compile.args(["--target", "es2022", "--module", "nodenext", "typed.ts"]).current_dir(dir.path());
    run(&mut compile);
}
