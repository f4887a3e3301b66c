//! The texts of a batch as one text, as the attribute and a link have them: a line for each.

use moe_trace::MAX_BATCH;

use crate::settings::limits::MAX_BATCH_CHARS;

/// What may be written.
pub fn allowed() -> String {
    format!(
        "up to {MAX_BATCH} texts, one a line, of {MAX_BATCH_CHARS} characters together; a line break inside of one is \
         written \\n, and a backslash \\\\"
    )
}

/// The texts, or why these are none.
pub fn parse(written: &str) -> Result<Vec<String>, String> {
    // The last line may have an end or not.
    let lines: Vec<&str> = written.strip_suffix('\n').unwrap_or(written).split('\n').collect();
    if lines.len() > MAX_BATCH {
        return Err(format!("It has {} texts, and a batch has {MAX_BATCH} at most", lines.len()));
    }
    let texts: Vec<String> = lines.into_iter().map(unescaped).collect();
    if too_long(&texts).is_some() {
        let num_chars = num_chars(&texts);
        return Err(format!("Its texts have {num_chars} characters together; the limit is {MAX_BATCH_CHARS}"));
    }
    Ok(texts)
}

/// The inverse; `None` of texts that say nothing, and of those that are too long.
pub fn text(texts: &[String]) -> Option<String> {
    if too_long(texts).is_some() || texts.iter().all(|text| text.trim().is_empty()) {
        return None;
    }
    let mut written = texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("\n");
    if texts.last().is_some_and(String::is_empty) {
        // Else this line would be the end of the one before.
        written.push('\n');
    }
    Some(written)
}

/// The number of characters, where that is more than a link holds.
pub fn too_long(texts: &[String]) -> Option<usize> {
    Some(num_chars(texts)).filter(|num_chars| *num_chars > MAX_BATCH_CHARS)
}

fn num_chars(texts: &[String]) -> usize {
    texts.iter().map(|text| text.chars().count()).sum()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match (character, rest.clone().next()) {
            ('\\', Some('n')) => text.push('\n'),
            ('\\', Some('\\')) => text.push('\\'),
            // A lone one means itself.
            _ => {
                text.push(character);
                continue;
            }
        }
        rest.next();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for of in [
            &["The cat", "The dog"][..],
            &[" blanks  ", "", "שלום 🙂"],
            &["first", ""],
            &["", "", "x"],
            &["a\nb", "\\n is no line break", "C:\\\\", "\\", "x\r\ny"],
        ] {
            let of = texts(of);
            let written = text(&of).expect("they say something");
            assert_eq!(parse(&written).expect("it can be read"), of, "{written:?}");
        }
    }

    #[test]
    fn an_author_writes_lines() {
        assert_eq!(parse("The cat\nThe dog\n").expect("two"), texts(&["The cat", "The dog"]));
        assert_eq!(parse("a \\x").expect("one"), texts(&["a \\x"]));
    }

    #[test]
    fn texts_that_say_nothing_are_not_told() {
        assert_eq!(text(&texts(&["", "  "])), None);
        assert_eq!(text(&[]), None);
    }

    #[test]
    fn too_many_and_too_long_texts_are_named() {
        let long = "é".repeat(MAX_BATCH_CHARS + 1);
        assert_eq!(text(&texts(&[&long])), None);
        assert_eq!(too_long(&texts(&[&long])), Some(MAX_BATCH_CHARS + 1));
        assert_eq!(parse(&long), Err("Its texts have 20001 characters together; the limit is 20000".to_owned()));
        assert_eq!(parse(&"x\n".repeat(9)), Err("It has 9 texts, and a batch has 8 at most".to_owned()));
        assert!(parse(&"x\n".repeat(8)).is_ok());
    }
}
