//! What was found, as sentences: `FINDINGS.md`, and the numbers behind it as JSON.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::Value;

/// Does what was published hold for these models?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    DoesNotHold,
    /// Too small to be told from chance, or nothing to compare with.
    Open,
}

impl Verdict {
    /// Yes or no.
    pub fn of(holds: bool) -> Verdict {
        if holds { Verdict::Holds } else { Verdict::DoesNotHold }
    }

    /// Yes or no by a difference that must be as large as `threshold` to say anything.
    pub fn of_difference(difference: f64, threshold: f64) -> Verdict {
        if difference.abs() < threshold { Verdict::Open } else { Verdict::of(difference > 0.0) }
    }

    /// Yes if it is so everywhere, no if nowhere.
    pub fn of_all(each: impl IntoIterator<Item = bool>) -> Verdict {
        let each: Vec<bool> = each.into_iter().collect();
        let so = each.iter().filter(|so| **so).count();
        if so > 0 && so < each.len() { Verdict::Open } else { Verdict::of(so > 0) }
    }

    fn in_short(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::DoesNotHold => "**does not hold**",
            Verdict::Open => "not decided",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Verdict::Holds => "Holds here",
            Verdict::DoesNotHold => "Does not hold here",
            Verdict::Open => "Not decided here",
        }
    }
}

/// A claim, what became of it, and what it compares with.
pub struct Finding {
    /// As its source puts it, in the present tense.
    pub claim: &'static str,
    pub verdict: Verdict,
    /// What was measured, with numbers.
    pub found: String,
    /// The published value and its source; or that there is none.
    pub published: &'static str,
    /// Name of an SVG beside the JSON files.
    pub figure: Option<&'static str>,
}

/// One measurement's part of the document.
pub struct Section {
    pub title: &'static str,
    /// How it was measured, and by which threshold sentences decide.
    pub method: String,
    pub findings: Vec<Finding>,
    /// What is worth knowing besides, a paragraph each.
    pub notes: Vec<String>,
    /// Name of the JSON file with all numbers.
    pub data: &'static str,
}

/// The document. `about`: what is measured, above all sections.
pub fn document(about: &str, sections: &[Section]) -> String {
    let mut text = about.to_owned();
    let _ = write!(text, "\n| claim | here |\n| --- | --- |\n");
    for Finding { claim, verdict, .. } in sections.iter().flat_map(|section| &section.findings) {
        let _ = writeln!(text, "| {claim} | {} |", verdict.in_short());
    }
    for Section { title, method, findings, notes, data } in sections {
        let _ = write!(text, "\n## {title}\n\n{method} All numbers: [{data}](measurements/{data}).\n");
        for Finding { claim, verdict, found, published, figure } in findings {
            let _ = write!(text, "\n### {claim}\n\n**{}.** {found}\n\nPublished: {published}\n", verdict.words());
            if let Some(figure) = figure {
                let _ = write!(text, "\n![{claim}](measurements/{figure})\n");
            }
        }
        for note in notes {
            let _ = write!(text, "\n{note}\n");
        }
    }
    text
}

/// Numbers as JSON, to five digits behind the point: the same on machines that round the last bit otherwise. Lists of
/// plain values are one line each.
pub fn write_json(path: &Path, data: &impl Serialize) -> Result<()> {
    let mut text = String::new();
    write_value(&serde_json::to_value(data)?, 0, &mut text)?;
    fs::write(path, text + "\n")?;
    Ok(())
}

fn write_value(value: &Value, depth: usize, text: &mut String) -> Result<()> {
    let indent = "  ".repeat(depth + 1);
    let is_plain = |value: &Value| !value.is_array() && !value.is_object();
    match value {
        // What serde writes for NaN and infinities.
        Value::Null => bail!("a measured number is not finite"),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => *text += &((number * 1e5).round() / 1e5 + 0.0).to_string(),
            None => *text += &number.to_string(),
        },
        Value::Array(values) if values.iter().all(is_plain) => {
            *text += "[";
            for (at, value) in values.iter().enumerate() {
                *text += if at > 0 { ", " } else { "" };
                write_value(value, depth, text)?;
            }
            *text += "]";
        }
        Value::Array(values) => {
            *text += "[";
            for (at, value) in values.iter().enumerate() {
                let _ = write!(text, "{}\n{indent}", if at > 0 { "," } else { "" });
                write_value(value, depth + 1, text)?;
            }
            let _ = write!(text, "\n{}]", "  ".repeat(depth));
        }
        Value::Object(fields) => {
            *text += "{";
            for (at, (name, value)) in fields.iter().enumerate() {
                let _ = write!(text, "{}\n{indent}{}: ", if at > 0 { "," } else { "" }, Value::from(name.as_str()));
                write_value(value, depth + 1, text)?;
            }
            let _ = write!(text, "\n{}}}", "  ".repeat(depth));
        }
        plain => *text += &plain.to_string(),
    }
    Ok(())
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_finite() {
        let mut text = String::new();
        let value = serde_json::json!({ "b": [0.123456789, 1, -0.0000001], "a": [{ "x": true }] });
        write_value(&value, 0, &mut text).expect("all are finite");
        assert_eq!(text, "{\n  \"a\": [\n    {\n      \"x\": true\n    }\n  ],\n  \"b\": [0.12346, 1, 0]\n}");
        let error = write_value(&serde_json::to_value([f64::NAN]).expect("serialises"), 0, &mut text);
        assert!(error.is_err());
    }

    #[test]
    fn a_finding_says_its_verdict_either_way() {
        let finding = |holds| Finding {
            claim: "Water is wet",
            verdict: Verdict::of(holds),
            found: "It was.".to_owned(),
            published: "everywhere.",
            figure: Some("water.svg"),
        };
        let section = Section {
            title: "Water",
            method: "By hand.".to_owned(),
            findings: vec![finding(true), finding(false)],
            notes: vec!["It was raining.".to_owned()],
            data: "water.json",
        };
        let text = document("# Findings\n", &[section]);
        assert!(text.contains("**Holds here.** It was.") && text.contains("**Does not hold here.** It was."), "{text}");
        assert!(text.contains("![Water is wet](measurements/water.svg)"), "{text}");
        assert!(text.contains("| Water is wet | holds |\n| Water is wet | **does not hold** |"), "{text}");
        assert!(text.ends_with("\nIt was raining.\n"), "{text}");
    }

    #[test]
    fn a_verdict_needs_a_difference_and_agreement() {
        let check = |difference, expected| assert_eq!(Verdict::of_difference(difference, 0.1), expected);
        check(0.2, Verdict::Holds);
        check(-0.2, Verdict::DoesNotHold);
        check(0.05, Verdict::Open);
        check(-0.05, Verdict::Open);
        assert_eq!(Verdict::of_all([true, true]), Verdict::Holds);
        assert_eq!(Verdict::of_all([true, false]), Verdict::Open);
        assert_eq!(Verdict::of_all([false, false]), Verdict::DoesNotHold);
        assert_eq!(Verdict::of_all([]), Verdict::DoesNotHold);
    }

    #[test]
    fn words_are_listed() {
        let check = |words: &[&str], expected: &str| assert_eq!(list(words), expected);
        check(&[], "");
        check(&["a"], "a");
        check(&["a", "b"], "a and b");
        check(&["a", "b", "c"], "a, b and c");
    }
}
