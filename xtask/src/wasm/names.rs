//! Short names for what a module and its script call each other by. wasm-bindgen's end in hashes, which stand in both
//! files, differ in every letter, and tell a reader nothing.

use std::collections::HashMap;

use anyhow::Result;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ExportSection, ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};

/// The hexadecimal digits that wasm-bindgen and the compiler end such a name with.
const HASH_DIGITS: usize = 16;

/// A module and its script with short names in the place of those that end in a hash. Nothing else is changed.
pub fn short(module: &[u8], script: &str) -> Result<(Vec<u8>, String)> {
    let names = hashed(module)?;
    // The script decides the order, so that neighbours have names that look alike.
    let mut short: HashMap<&str, String> = HashMap::new();
    for word in words(script).filter(|word| names.contains(word)) {
        let next = short.len();
        short.entry(word).or_insert_with(|| name(next));
    }
    let script = words(script).map(|word| short.get(word).map_or(word, String::as_str)).collect();
    Ok((renamed(module, &short)?, script))
}

/// The names of imports and exports that end in a hash.
fn hashed(module: &[u8]) -> Result<Vec<&str>> {
    let mut names = vec![];
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    names.push(import?.name);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    names.push(export?.name);
                }
            }
            _ => {}
        }
    }
    names.retain(|name| ends_in_hash(name));
    Ok(names)
}

fn ends_in_hash(name: &str) -> bool {
    let digits = name.bytes().rev().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
    digits >= HASH_DIGITS
}

/// A text in pieces: identifiers, and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| is_of_word(c) != is_of_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

/// `_a`, `_b`, … `_z`, `_ba`: no name of wasm-bindgen's begins with one underscore.
fn name(number: usize) -> String {
    let letter = |digit: usize| char::from(b'a' + (digit % 26) as u8);
    let mut letters = vec![letter(number)];
    let mut rest = number / 26;
    while rest > 0 {
        letters.push(letter(rest));
        rest /= 26;
    }
    letters.push('_');
    letters.iter().rev().collect()
}

/// The module with these names of imports and exports; every other section as it is.
fn renamed(module: &[u8], short: &HashMap<&str, String>) -> Result<Vec<u8>> {
    let new = |name| short.get(name).map_or(name, String::as_str);
    let mut out = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for import in section.into_imports() {
                    let import = import?;
                    imports.import(import.module, new(import.name), RoundtripReencoder.entity_type(import.ty)?);
                }
                out.section(&imports);
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section {
                    let export = export?;
                    exports.export(new(export.name), RoundtripReencoder.export_kind(export.kind)?, export.index);
                }
                out.section(&exports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    out.section(&RawSection { id, data: &module[range] });
                }
            }
        }
    }
    Ok(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{CodeSection, EntityType, ExportKind, Function, FunctionSection, TypeSection};

    const IMPORTED: &str = "__wbg_get_2080c49015e35254";
    const EXPORTED: &str = "wasm_bindgen__convert__closures_____invoke__hab70c7cf8e72b7a3";

    fn module() -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        imports.import("./a_bg.js", IMPORTED, EntityType::Function(0));
        imports.import("./a_bg.js", "__wbindgen_throw", EntityType::Function(0));
        module.section(&imports);
        let mut functions = FunctionSection::new();
        functions.function(0);
        module.section(&functions);
        let mut exports = ExportSection::new();
        exports.export(EXPORTED, ExportKind::Func, 2);
        exports.export("mount", ExportKind::Func, 2);
        module.section(&exports);
        let mut code = CodeSection::new();
        let mut function = Function::new([]);
        function.instructions().call(0).end();
        code.function(&function);
        module.section(&code);
        module.finish()
    }

    #[test]
    fn module_and_script_go_on_calling_each_other() {
        let script = format!(
            "const imports = {{ {IMPORTED}: f, __wbindgen_throw: g, x{IMPORTED}: h }};\nwasm.{EXPORTED}();\nwasm.mount();\n"
        );
        let before = module();
        let (after, script) = short(&before, &script).expect("a small module");
        assert_eq!(
            script,
            format!("const imports = {{ _a: f, __wbindgen_throw: g, x{IMPORTED}: h }};\nwasm._b();\nwasm.mount();\n")
        );
        wasmparser::validate(&after).expect("still a module");
        assert!(hashed(&after).expect("just written").is_empty());
        let text = String::from_utf8_lossy(&after);
        assert!(text.contains("_a") && text.contains("_b") && text.contains("__wbindgen_throw"), "{text}");
        assert_eq!(after.len(), before.len() - (IMPORTED.len() - 2) - (EXPORTED.len() - 2));
    }

    #[test]
    fn no_two_names_are_one() {
        let names: std::collections::BTreeSet<String> = (0..2000).map(name).collect();
        assert_eq!(names.len(), 2000);
        assert_eq!((name(0), name(25), name(26)), ("_a".to_owned(), "_z".to_owned(), "_ba".to_owned()));
    }

    #[test]
    fn a_name_without_a_hash_stays() {
        let check = |name: &str, expected: bool| assert_eq!(ends_in_hash(name), expected, "{name}");
        check(IMPORTED, true);
        check(EXPORTED, true);
        check("__wbindgen_malloc", false);
        check("__wbindgen_cast_0000000000000001", true);
    }
}
