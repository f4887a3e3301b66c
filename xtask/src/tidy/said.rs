//! What the sources say to a reader: the templates of `say!`, `many!`, `weave!` and `marked!` in Rust, those of `say()` in
//! JavaScript, and the sentences of lessons.
//!
//! It reads words, not types, as `imports` does: comments are left out, and in Rust what follows the line of the tests.

use serde_json::Value;

/// A template, or a text without names, and the line where it is said.
#[derive(Debug, PartialEq)]
pub struct Said {
    pub line: usize,
    pub template: String,
}

/// The keys of a lesson that hold sentences.
const SENTENCES: [&str; 5] = ["title", "say", "ask", "hint", "reveal"];

/// Of a Rust file as the page is made of. `many!` has two templates, of which the second is the key.
pub fn by_rust(source: &str) -> Vec<Said> {
    let tokens = tokens(before_tests(source), Language::Rust);
    let mut found = Vec::new();
    for (at, window) in tokens.windows(3).enumerate() {
        let [(_, Token::Word(name)), (_, Token::Sign('!')), (_, Token::Sign('(' | '[' | '{'))] = window else {
            continue;
        };
        let inside = &tokens[at + 3..];
        match name.as_str() {
            "say" | "weave" | "marked" => found.extend(text_at(inside, 0)),
            "many" => found.extend(second_text(inside)),
            _ => {}
        }
    }
    found
}

/// Every text of a file in Rust or JSON: one that it declares may be said elsewhere.
pub fn declared(source: &str) -> impl Iterator<Item = String> {
    let texts = tokens(before_tests(source), Language::Rust).into_iter();
    texts.filter_map(|(_, token)| if let Token::Text(text) = token { Some(text) } else { None })
}

/// Of a JavaScript file. Only a text that stands there whole can be found, and biome leaves long ones whole.
pub fn by_javascript(source: &str) -> Vec<Said> {
    let tokens = tokens(source, Language::JavaScript);
    let is_call = |window: &[(usize, Token)]| {
        let [(_, Token::Word(name)), (_, Token::Sign('('))] = window else { return false };
        name == "say" || name == "marked"
    };
    let calls = tokens.windows(2).enumerate().filter(|(_, window)| is_call(window));
    calls.filter_map(|(at, _)| text_at(&tokens[at + 2..], 0)).collect()
}

/// Of a lesson. Lines are those where the sentence's first words stand.
pub fn by_lesson(source: &str) -> Vec<Said> {
    let lesson: Value = serde_json::from_str(source).unwrap_or_default();
    let steps = lesson["steps"].as_array().into_iter().flatten();
    let mut found = Vec::new();
    for part in std::iter::once(&lesson).chain(steps) {
        for value in SENTENCES.into_iter().filter_map(|key| part.get(key)) {
            let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for template in texts.iter().filter_map(Value::as_str) {
                let written = serde_json::to_string(template).unwrap_or_default();
                let line = source.lines().position(|line| line.contains(&written)).map_or(1, |at| at + 1);
                found.push(Said { line, template: template.to_owned() });
            }
        }
    }
    found
}

/// The names in braces, sorted, each once.
pub fn names(template: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The tests of a module are the last of its file, where they are not a file of their own.
fn before_tests(source: &str) -> &str {
    let end = source.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| {
        let after = source[*at..].trim_start_matches("#[cfg(test)]").trim_start();
        let is_here = after.find('{').is_some_and(|open| after.find(';').is_none_or(|end| open < end));
        after.starts_with("mod ") && is_here
    });
    &source[..end.unwrap_or(source.len())]
}

fn text_at(tokens: &[(usize, Token)], at: usize) -> Option<Said> {
    match tokens.get(at)? {
        (line, Token::Text(template)) => Some(Said { line: *line, template: template.clone() }),
        _ => None,
    }
}

/// After the number, which may be any expression: `, "one", "other"`.
fn second_text(tokens: &[(usize, Token)]) -> Option<Said> {
    let mut depth = 0_i32;
    for (at, (_, token)) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') if depth == 0 => return None,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                let rest = &tokens[at + 1..];
                if let [(_, Token::Text(_)), (_, Token::Sign(',')), (_, Token::Text(_)), ..] = rest {
                    return text_at(rest, 2);
                }
            }
            _ => {}
        }
    }
    None
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Rust,
    JavaScript,
}

/// Words, texts and signs with their lines, without comments and blanks.
fn tokens(source: &str, language: Language) -> Vec<(usize, Token)> {
    let mut reader = Reader { rest: source, line: 1, language };
    let mut tokens = Vec::new();
    // The open braces within each `${` of JavaScript's templates that the reader is in.
    let mut holes = Vec::<u32>::new();
    while let Some(first) = reader.rest.chars().next() {
        let line = reader.line;
        if reader.rest.starts_with("//") {
            reader.skip(reader.rest.find('\n').unwrap_or(reader.rest.len()));
        } else if reader.rest.starts_with("/*") {
            reader.skip(reader.rest.find("*/").map_or(reader.rest.len(), |at| at + 2));
        } else if first == '/' && language == Language::JavaScript && begins_pattern(&tokens) {
            reader.skip_pattern();
        } else if let Some(num_hashes) = raw_hashes(reader.rest).filter(|_| language == Language::Rust) {
            let text = reader.raw_text(num_hashes);
            tokens.push((line, Token::Text(text)));
        } else if first == '"' {
            tokens.push((line, Token::Text(reader.text('"'))));
        } else if first == '\'' && (language == Language::JavaScript || is_character(reader.rest)) {
            reader.text('\'');
        } else if (first == '`' && language == Language::JavaScript) || (first == '}' && holes.last() == Some(&0)) {
            if first == '}' {
                holes.pop();
            }
            holes.extend(reader.template_has_hole().then_some(0));
        } else if first.is_alphanumeric() || first == '_' {
            let end = reader.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(reader.rest.len());
            tokens.push((line, Token::Word(reader.rest[..end].to_owned())));
            reader.skip(end);
        } else {
            match (first, holes.last_mut()) {
                ('{', Some(depth)) => *depth += 1,
                ('}', Some(depth)) => *depth -= 1,
                _ => {}
            }
            if !first.is_whitespace() {
                tokens.push((line, Token::Sign(first)));
            }
            reader.skip(first.len_utf8());
        }
    }
    tokens
}

/// Does a slash after these begin a regular expression? It divides only what stands before it.
fn begins_pattern(before: &[(usize, Token)]) -> bool {
    matches!(
        before.last(),
        None | Some((_, Token::Sign('(' | ',' | '=' | ':' | '[' | '!' | '&' | '|' | '?' | '{' | ';')))
    )
}

/// Does a character stand here, and not the name of a lifetime?
fn is_character(rest: &str) -> bool {
    let mut inside = rest.chars().skip(1);
    match inside.next() {
        Some('\\') => true,
        Some(_) => inside.next() == Some('\''),
        None => false,
    }
}

/// The number of `#` around a text that is taken as it stands.
fn raw_hashes(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix('r')?;
    let inside = hashes.trim_start_matches('#');
    inside.starts_with('"').then_some(hashes.len() - inside.len())
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    language: Language,
}

impl Reader<'_> {
    fn skip(&mut self, bytes: usize) {
        self.line += self.rest[..bytes].matches('\n').count();
        self.rest = &self.rest[bytes..];
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    fn raw_text(&mut self, num_hashes: usize) -> String {
        self.skip(num_hashes + 2);
        let close = format!("\"{}", "#".repeat(num_hashes));
        let end = self.rest.find(&close).unwrap_or(self.rest.len());
        let text = self.rest[..end].to_owned();
        self.skip((end + close.len()).min(self.rest.len()));
        text
    }

    /// What stands between two quotes, as the compiler reads it.
    fn text(&mut self, quote: char) -> String {
        self.next();
        let mut text = String::new();
        while let Some(character) = self.next() {
            match character {
                '\\' => text.extend(self.escaped()),
                end if end == quote => break,
                // It was no quote, but a sign in a pattern.
                '\n' if self.language == Language::JavaScript => break,
                other => text.push(other),
            }
        }
        text
    }

    /// A regular expression, whose quotes are none.
    fn skip_pattern(&mut self) {
        self.next();
        let mut is_in_class = false;
        while let Some(character) = self.next() {
            match character {
                '\\' => {
                    self.next();
                }
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                '/' if !is_in_class => return,
                '\n' => return,
                _ => {}
            }
        }
    }

    /// Reads a template's words, to its end or to the next `${`, and tells which.
    fn template_has_hole(&mut self) -> bool {
        self.next();
        while let Some(character) = self.next() {
            match character {
                '\\' => {
                    self.next();
                }
                '`' => return false,
                '$' if self.rest.starts_with('{') => {
                    self.next();
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// What a backslash stands for together with what follows; nothing at the end of a line, whose indent goes too.
    fn escaped(&mut self) -> Option<char> {
        match self.next()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' => Some('\0'),
            '\n' => {
                self.skip(self.rest.len() - self.rest.trim_start().len());
                None
            }
            'u' => {
                let is_braced = self.rest.starts_with('{');
                let end = if is_braced { self.rest.find('}')? } else { 4.min(self.rest.len()) };
                let digits = self.rest.get(..end)?.trim_start_matches('{').to_owned();
                self.skip(end + usize::from(is_braced));
                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
            }
            'x' => {
                let digits = self.rest.get(..2)?.to_owned();
                self.skip(2);
                u8::from_str_radix(&digits, 16).ok().map(char::from)
            }
            other => Some(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(said: &[Said]) -> Vec<(usize, &str)> {
        said.iter().map(|said| (said.line, &*said.template)).collect()
    }

    #[test]
    fn templates_of_rust_are_found_as_the_compiler_reads_them() {
        let source = concat!(
            "// say!(\"in a comment\") /* say!(\"x\") */\n",
            "const A: &str = marked!(\"a \\\"b\\\" \\u{2026}\");\n",
            "fn f<'a>(x: &'a str) { say!(\n    \"long \\\n        line {n}\", n = ','); let c = '\"'; }\n",
            "html! { { many!(lost.iter().map(|(a, b)| a).count(), \"one {of}\", \"{n} {of}\", of = \"x\") } }\n",
            "weave!(r#\"raw \"{token}\"\"#, token); essay!(\"no\"); say(\"no\");\n",
            "#[cfg(test)]\nmod of_a_file;\n#[cfg(test)]\nfn only_in_tests() {}\nsay![\"yes\"];\n",
            "#[cfg(test)]\nmod tests { say!(\"no\") }\n",
        );
        let expected = [(2, "a \"b\" …"), (4, "long line {n}"), (6, "{n} {of}"), (7, "raw \"{token}\""), (12, "yes")];
        assert_eq!(templates(&by_rust(source)), expected);
    }

    #[test]
    fn templates_of_javascript_are_calls_with_a_whole_text() {
        let source = concat!(
            "// say(\"no\")\nconst a = say(\"Save {name}\", { name }) + `say(\"no\")`;\n",
            "say(\n  \"“a”\\n\",\n);\nsay(text);\nf(/[\"`/\\]]\\/`/g, 4 / 2);\n",
            "`a ${[{ b: say(\"in a hole\") }]} say(\"no\") ${c}` + marked(\"last\");\n",
        );
        let expected = [(2, "Save {name}"), (4, "“a”\n"), (8, "in a hole"), (8, "last")];
        assert_eq!(templates(&by_javascript(source)), expected);
    }

    #[test]
    fn sentences_of_lessons_are_found() {
        let source = "{ \"title\": \"T\",\n\"steps\": [{ \"say\": \"S\", \"hint\": [\"H\", \"I\"],\n\"set\": { \"prompt\": \"no\" } }] }";
        assert_eq!(templates(&by_lesson(source)), [(1, "T"), (2, "S"), (2, "H"), (2, "I")]);
    }

    #[test]
    fn names_are_those_in_braces() {
        assert_eq!(names("{b} and {a}, {b} {"), ["a", "b"]);
        assert!(names("none").is_empty());
    }
}
