//! Scripts and style sheets without the comments that stand in lines of their own: a reader of the sources finds them
//! there, and nobody else downloads them.

use anyhow::{Context, Result};

/// What is downloaded of a file: of scripts and style sheets no comments, and of style sheets no indentation.
pub fn of_file(address: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let (is_script, is_style) = (address.ends_with(".js"), address.ends_with(".css"));
    if !is_script && !is_style {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).with_context(|| format!("{address} is not UTF-8"))?;
    let kept = without_comments(&text);
    let kept = if is_style { kept.lines().map(|line| format!("{}\n", line.trim_start())).collect() } else { kept };
    Ok(kept.into_bytes())
}

/// The text without lines that are comments from beginning to end. What looks like one inside a text of several lines
/// would go too; ours have none (tested).
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut is_inside = false;
    for line in text.lines() {
        let words = line.trim();
        if !is_inside && !words.starts_with("/*") {
            if !words.is_empty() && !words.starts_with("//") {
                kept.push_str(line);
                kept.push('\n');
            }
            continue;
        }
        // A comment that ends before its line does stays, with what follows it.
        let end = words.find("*/").map(|at| at + 2);
        if let Some(end) = end.filter(|&end| end < words.len()) {
            kept.push_str(if is_inside { &words[end..] } else { line });
            kept.push('\n');
        }
        is_inside = end.is_none();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Site;

    #[test]
    fn comments_in_lines_of_their_own_go() {
        let check = |text: &str, expected: &str| assert_eq!(without_comments(text), expected, "{text}");
        check("// one\nlet a; // two\n\n  // three\n", "let a; // two\n");
        check("/** one */\nlet a;\n  /*\n   * two\n   */\n  let b;\n", "let a;\n  let b;\n");
        check("let a = /** @type {any} */ (b);\n", "let a = /** @type {any} */ (b);\n");
        check("/** @type {any} */ (b).c();\n", "/** @type {any} */ (b).c();\n");
        check("/* of\n two */ let a;\n", " let a;\n");
    }

    /// Nowhere does a text go on over a line that looks like a comment: every sign that opens one is closed in its line.
    #[test]
    fn no_text_of_ours_goes_on_over_a_comment() {
        let site = Site::of_working_tree().expect("a target folder");
        for (address, content) in site.contents().expect("a site") {
            let is_ours = content.path().components().any(|part| part.as_os_str() == "packages");
            if !is_ours || !address.ends_with(".js") {
                continue;
            }
            let text = String::from_utf8(content.read().expect("readable")).expect("UTF-8");
            let mut in_template = false;
            for (number, line) in text.lines().enumerate() {
                let words = line.trim();
                let is_comment = words.starts_with("//") || words.starts_with("/*") || words.starts_with('*');
                assert!(!in_template || !is_comment, "{address}:{}: {line}", number + 1);
                // But for the backtick of an expression in slashes.
                if !is_comment && !line.contains("(/[") && line.matches('`').count() % 2 == 1 {
                    in_template = !in_template;
                }
            }
            assert!(!in_template, "{address} has an odd number of backticks");
        }
    }
}
