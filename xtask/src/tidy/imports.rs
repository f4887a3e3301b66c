//! What a Rust source file imports from its own crate: every path that begins with `crate`, `super` or `self`.
//!
//! It reads words, not types: comments, texts and tests are left out, nested `use` trees are followed. That is enough to
//! say which module a path leads to, and needs no compiler.

/// Absolute paths within the crate, such as `["run", "scene", "Scene"]`, each once, in order. `module`: where the file
/// stands, `["views", "page"]` for `views/page.rs`.
pub fn of_source(text: &str, module: &[&str]) -> Vec<Vec<String>> {
    let words = words(text);
    let mut reader = Reader { words: &words, at: 0, found: Vec::new() };
    let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
    reader.items(&module);
    let mut found = reader.found;
    found.sort();
    found.dedup();
    found
}

struct Reader<'a> {
    words: &'a [String],
    at: usize,
    found: Vec<Vec<String>>,
}

impl Reader<'_> {
    fn word(&self, ahead: usize) -> &str {
        self.words.get(self.at + ahead).map_or("", String::as_str)
    }

    /// Everything up to the closing brace of a module, or the end of the file.
    fn items(&mut self, module: &[String]) {
        let mut depth = 0_u32;
        while self.at < self.words.len() {
            let is_path = self.word(1) == "::" && (self.at == 0 || self.words[self.at - 1] != "::");
            match self.word(0) {
                "crate" | "super" | "self" if is_path => self.tree(&[], module),
                "#" if self.is_for_tests() => self.skip_item(),
                "mod" if self.word(2) == "{" => {
                    let inner = [module, &[self.word(1).to_owned()]].concat();
                    self.at += 3;
                    self.items(&inner);
                }
                "{" => {
                    depth += 1;
                    self.at += 1;
                }
                "}" if depth == 0 => {
                    self.at += 1;
                    return;
                }
                "}" => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// A path, which in a `use` may end in a group of further ones. `before`: what led here, already absolute, where
    /// this is such a group.
    fn tree(&mut self, before: &[String], module: &[String]) {
        let mut path = before.to_vec();
        let mut is_first = before.is_empty();
        loop {
            match self.word(0) {
                "{" => {
                    self.at += 1;
                    while !["}", ""].contains(&self.word(0)) {
                        if self.word(0) == "," {
                            self.at += 1;
                        } else {
                            self.tree(&path, module);
                        }
                    }
                    self.at += 1;
                    return;
                }
                "crate" => path.clear(),
                "self" if is_first => path = module.to_vec(),
                "super" => {
                    if is_first {
                        path = module.to_vec();
                    }
                    path.pop();
                }
                // In a group, the module itself.
                "self" | "*" => {}
                name if is_name(name) => path.push(name.to_owned()),
                // No path after all; it must not be read again.
                _ => {
                    self.at += 1;
                    break;
                }
            }
            is_first = false;
            self.at += 1;
            if self.word(0) == "as" {
                self.at += 2;
            }
            if self.word(0) != "::" {
                break;
            }
            self.at += 1;
            // `size_of::<T>()`
            if self.word(0) == "<" {
                break;
            }
        }
        self.found.push(path);
    }

    /// `#[cfg(test)]`
    fn is_for_tests(&self) -> bool {
        ["#", "[", "cfg", "(", "test", ")", "]"].iter().enumerate().all(|(ahead, word)| self.word(ahead) == *word)
    }

    /// Beyond the item that follows an attribute: its block, or its semicolon.
    fn skip_item(&mut self) {
        let mut depth = 0_u32;
        while self.at < self.words.len() {
            let word = self.word(0);
            let ends = (word == "}" && depth == 1) || (word == ";" && depth == 0);
            match word {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if ends {
                return;
            }
        }
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, `::` and single signs; without comments, texts, characters and lifetimes.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            // A lifetime has no closing quote after its one character.
            let second = rest[1..].chars().next().unwrap_or(' ');
            let is_character = second == '\\' || rest[1 + second.len_utf8()..].starts_with('\'');
            if is_character { quoted(rest, '\'') } else { 1 }
        } else if first.is_alphabetic() || first == '_' {
            let length = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            words.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            words.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    words
}

/// The bytes of `r"…"` or `r#"…"#`, if that is how a text begins.
fn raw_text(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inner = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let before = text.len() - inner.len();
    Some(inner.find(&end).map_or(text.len(), |at| before + at + end.len()))
}

/// The bytes of a text in quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if character == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let paths = of_source(text, &["views", "page"]);
        let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, expected, "{text}");
    }

    #[test]
    fn paths_of_every_kind() {
        check("use crate::run::scene::Scene;", &["run::scene::Scene"]);
        check("fn f() -> crate::words::Text { super::header::draw() }", &["views::header::draw", "words::Text"]);
        check("use super::super::state::State;", &["state::State"]);
        check("use self::part::Part as Other;", &["views::page::part::Part"]);
        check("let size = size_of::<crate::run::Run>();", &["run::Run"]);
        check("pub(crate) fn f(self) {} pub(super) fn g() {}", &[]);
        check("use std::fmt; use yew::{Html, html};", &[]);
    }

    #[test]
    fn groups_within_groups() {
        check("use crate::{a::b, c};", &["a::b", "c"]);
        check(
            "use crate::run::{self, scene::{Scene, layer::*}, text as words};",
            &["run", "run::scene::Scene", "run::scene::layer", "run::text"],
        );
    }

    #[test]
    fn what_is_not_code_is_not_read() {
        check(
            "//! [`crate::a`]\n/* crate::b */ \"crate::c \\\" crate::d\" r#\"crate::e\"# '\"' crate::f::g",
            &["f::g"],
        );
        check("fn f<'a>(x: &'a str) -> crate::a::B<'a> {}", &["a::B"]);
    }

    #[test]
    fn tests_are_left_out_and_inner_modules_are_one_deeper() {
        check("#[cfg(test)]\nmod tests { use crate::a::b; fn f() { {} } }\nuse crate::c::d;", &["c::d"]);
        check("#[cfg(test)]\nmod tests;\nuse crate::c::d;", &["c::d"]);
        check(
            "mod inner { use super::part::Part; } use super::part::Part;",
            &["views::page::part::Part", "views::part::Part"],
        );
    }
}
