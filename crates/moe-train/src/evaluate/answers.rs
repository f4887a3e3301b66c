//! Does the model calculate? Held-out lines of arithmetic, continued greedily after three lines of their sheet.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use moe_trace::{RoutingGroup, RunId, RunRequest, Sampling, StepTrace};
use serde::{Deserialize, Serialize};

use crate::golden;
use crate::prepare::document::RECORD_SEPARATOR;
use crate::site_model::SiteModel;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    pub asked: usize,
    pub right: usize,
}

/// How many sheets are asked from.
const QUESTIONS: usize = 200;

/// One question of each sheet. The last number counts where steps are shown.
pub fn arithmetic(model: &SiteModel, data: &Path) -> Result<Answers> {
    let path = data.join("valid").join("arithmetic.txt");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut engine = model.engine()?;
    let mut answers = Answers { asked: 0, right: 0 };
    for (prompt, answer) in text.split(RECORD_SEPARATOR).filter_map(question).take(QUESTIONS) {
        let request = RunRequest {
            run: RunId(0),
            prompt: prompt.clone(),
            companions: Vec::new(),
            max_new_tokens: 40,
            sampling: Sampling::Greedy,
            routing: engine.info().trained_routing,
            group: RoutingGroup::ThisText,
            seed: 0,
            interventions: Vec::new(),
        };
        // Where the answer's line ends, the model has answered.
        let answered =
            |step: &StepTrace| golden::text(step).strip_prefix(&prompt).is_some_and(|rest| rest.contains('\n'));
        let steps = golden::record_until(&mut engine, &request, answered)?;
        let written = steps.last().map(golden::text).unwrap_or_default();
        let line = written.strip_prefix(&prompt).and_then(first_line);
        answers.asked += 1;
        answers.right += usize::from(line.map(last_part) == Some(last_part(&answer)));
    }
    Ok(answers)
}

/// Three lines and the fourth up to its first `=`; and what stands behind it.
fn question(sheet: &str) -> Option<(String, String)> {
    let lines: Vec<&str> = sheet.lines().collect();
    let (asked, answer) = lines.get(3)?.split_once(" =")?;
    Some((format!("{}\n{asked} =", lines[..3].join("\n")), answer.to_owned()))
}

/// A line that was not written to its end is no answer.
fn first_line(text: &str) -> Option<&str> {
    text.split_once('\n').map(|(line, _)| line)
}

fn last_part(line: &str) -> &str {
    line.rsplit('=').next().unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_a_fourth_line_without_its_answer() {
        let (prompt, answer) =
            question("1 + 1 = 2\nmax 3 4 = 4\n2 * 3 = 6\n(1 + 2) * 3 = 3 * 3 = 9\n").expect("a question");
        assert_eq!(prompt, "1 + 1 = 2\nmax 3 4 = 4\n2 * 3 = 6\n(1 + 2) * 3 =");
        assert_eq!((answer.as_str(), last_part(&answer)), (" 3 * 3 = 9", "9"));
        assert_eq!(question("1 + 1 = 2\n"), None);
    }

    #[test]
    fn a_line_counts_once_it_is_over() {
        assert_eq!(first_line(" 12\n3 + 4"), Some(" 12"));
        assert_eq!(first_line(" 12"), None);
    }
}
