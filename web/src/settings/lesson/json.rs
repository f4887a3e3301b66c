//! A small reader of JSON that remembers where everything stands, so that an error can point to its line and column.

use moe_router::decimal;

use crate::settings::lesson::mistake::Mistake;

/// Deeper than any lesson; the reader calls itself once a level.
const MAX_DEPTH: usize = 12;

/// A value and the byte at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub at: usize,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(Text),
    List(Vec<Node>),
    /// In the order of the file.
    Object(Vec<(Key, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub at: usize,
    pub name: String,
}

/// A text, and where each of its characters stands in the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    pub chars: String,
    places: Vec<usize>,
}

impl Text {
    /// The byte of the file at which the character stands that begins at this byte of the text; of its end, the last one's.
    pub fn place(&self, byte: usize) -> usize {
        let number = self.chars.char_indices().take_while(|(at, _)| *at < byte).count();
        self.places.get(number).or(self.places.last()).copied().unwrap_or_default()
    }
}

impl Value {
    /// What kind of value it is, in a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// The one value of a text of JSON.
pub fn read(text: &str) -> Result<Node, Mistake> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.skip_blank();
    match reader.rest().chars().next() {
        None => Ok(node),
        Some(_) => Err(reader.mistake("something follows the end of the lesson", "remove it")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_blank(&mut self) {
        let blank = self.rest().len() - self.rest().trim_start_matches([' ', '\n', '\r', '\t']).len();
        self.at += blank;
    }

    fn mistake(&self, what: impl Into<String>, right: impl Into<String>) -> Mistake {
        Mistake::new(self.at, what, right)
    }

    /// What comes next, after blanks, was to be something else.
    fn unexpected(&self, right: &str) -> Mistake {
        let what = match self.rest().chars().next() {
            None => "the file ends here".to_owned(),
            Some(found) => format!("there is “{found}”"),
        };
        self.mistake(what, right)
    }

    /// Goes past this character, if it is the next.
    fn takes(&mut self, wanted: char) -> bool {
        self.skip_blank();
        let is_there = self.rest().starts_with(wanted);
        self.at += if is_there { wanted.len_utf8() } else { 0 };
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Node, Mistake> {
        self.skip_blank();
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(self.mistake("values are nested too deeply", "a lesson needs no more than a few levels"));
        }
        let value = match self.rest().chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.text()?),
            Some('-' | '0'..='9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { at, value })
    }

    fn word(&mut self) -> Result<Value, Mistake> {
        let words = [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))];
        let Some((word, value)) = words.into_iter().find(|(word, _)| self.rest().starts_with(word)) else {
            return Err(self.unexpected("a text in double quotes, a number, a list or an object"));
        };
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Mistake> {
        let len = self.rest().find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let written = self.rest()[..len.unwrap_or(self.rest().len())].to_owned();
        if decimal::read_f32(&written).is_none() {
            return Err(self.mistake(format!("“{written}” is not a number"), "write it like 3 or 0.75"));
        }
        self.at += written.len();
        Ok(Value::Number(written))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Mistake> {
        self.at += 1;
        let mut nodes = Vec::new();
        if self.takes(']') {
            return Ok(Value::List(nodes));
        }
        loop {
            nodes.push(self.value(depth + 1)?);
            if self.takes(']') {
                return Ok(Value::List(nodes));
            }
            if !self.takes(',') {
                return Err(self.unexpected("a comma between two entries of a list, or ] at its end"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Mistake> {
        self.at += 1;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        if self.takes('}') {
            return Ok(Value::Object(entries));
        }
        loop {
            self.skip_blank();
            let at = self.at;
            if !self.rest().starts_with('"') {
                return Err(self.unexpected("a key in double quotes; no comma stands before the closing }"));
            }
            let name = self.text()?.chars;
            if entries.iter().any(|(key, _)| key.name == name) {
                return Err(Mistake::new(at, format!("“{name}” is there twice"), "keep one of them"));
            }
            if !self.takes(':') {
                return Err(self.unexpected("a colon between key and value"));
            }
            entries.push((Key { at, name }, self.value(depth + 1)?));
            if self.takes('}') {
                return Ok(Value::Object(entries));
            }
            if !self.takes(',') {
                return Err(self.unexpected("a comma between two entries of an object, or } at its end"));
            }
        }
    }

    fn text(&mut self) -> Result<Text, Mistake> {
        let begin = self.at;
        self.at += 1;
        let mut text = Text::default();
        loop {
            let at = self.at;
            let Some(next) = self.rest().chars().next() else {
                return Err(Mistake::new(begin, "this text has no end", "close it with a double quote"));
            };
            self.at += next.len_utf8();
            let char = match next {
                '"' => {
                    text.places.push(at);
                    return Ok(text);
                }
                '\\' => self.escaped(at)?,
                '\n' | '\r' => {
                    return Err(Mistake::new(
                        begin,
                        "this text is not closed on its line",
                        "close it with a double quote",
                    ));
                }
                c if c < ' ' => {
                    return Err(Mistake::new(at, "a control character stands in a text", "write a tab as \\t"));
                }
                c => c,
            };
            text.chars.push(char);
            text.places.push(at);
        }
    }

    /// What stands behind a backslash.
    fn escaped(&mut self, at: usize) -> Result<char, Mistake> {
        let next = self.rest().chars().next().unwrap_or(' ');
        self.at += next.len_utf8().min(self.rest().len());
        let plain = match next {
            '"' | '\\' | '/' => next,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => return self.unicode(at),
            _ => return Err(Mistake::new(at, "a backslash stands before a character that needs none", "write \\\\")),
        };
        Ok(plain)
    }

    fn unicode(&mut self, at: usize) -> Result<char, Mistake> {
        let wrong = || Mistake::new(at, "\\u is not followed by a character's number", "write it like \\u00e9");
        let first = self.four_digits().ok_or_else(wrong)?;
        let number = match first {
            // The first half of a pair.
            0xD800..0xDC00 => {
                let pair = self.rest().starts_with("\\u");
                self.at += if pair { 2 } else { 0 };
                let second = self.four_digits().filter(|second| pair && (0xDC00..0xE000).contains(second));
                0x10000 + ((first - 0xD800) << 10) + (second.ok_or_else(wrong)? - 0xDC00)
            }
            number => number,
        };
        char::from_u32(number).ok_or_else(wrong)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_where_they_stand() {
        let node = read(" {\n  \"a\": [1, \"x\\u00e9\\ud83d\\ude42\\n\"]\n}\n").expect("JSON");
        let Value::Object(entries) = &node.value else { panic!("no object") };
        let (key, list) = &entries[0];
        assert_eq!((node.at, key.at, key.name.as_str(), list.at), (1, 5, "a", 10));
        let Value::List(nodes) = &list.value else { panic!("no list") };
        assert_eq!(nodes[0], Node { at: 11, value: Value::Number("1".to_owned()) });
        let Value::Text(text) = &nodes[1].value else { panic!("no text") };
        assert_eq!(text.chars, "xé🙂\n");
        // The text begins behind its quote, and each escape is one character.
        assert_eq!([0, 1, 3, 7].map(|byte| text.place(byte)), [15, 16, 22, 34]);
    }

    #[test]
    fn what_is_no_json_is_told_at_its_place() {
        let check = |text: &str, at: usize, what: &str| {
            let mistake = read(text).expect_err(text);
            assert_eq!((mistake.at, mistake.what.as_str()), (at, what), "{text:?}");
        };
        check("", 0, "the file ends here");
        check("{\"a\" 1}", 5, "there is “1”");
        check("{\"a\": 1,}", 8, "there is “}”");
        check("[1 2]", 3, "there is “2”");
        check("{\"a\": 1, \"a\": 2}", 9, "“a” is there twice");
        check("\"x", 0, "this text has no end");
        check("\"x\ny\"", 0, "this text is not closed on its line");
        check("\"\\q\"", 1, "a backslash stands before a character that needs none");
        check("\"\\", 1, "a backslash stands before a character that needs none");
        check("\"\\ud83dx\"", 1, "\\u is not followed by a character's number");
        check("\"\\u+123\"", 1, "\\u is not followed by a character's number");
        check("1-2", 0, "“1-2” is not a number");
        check("{} x", 3, "something follows the end of the lesson");
        check(&"[".repeat(50), MAX_DEPTH + 1, "values are nested too deeply");
    }
}
