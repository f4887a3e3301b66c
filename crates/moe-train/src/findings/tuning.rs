//! Are losses at the end of a text worse after tuning on instructions (OpenMoE, arXiv:2402.01739, figure 12b)?

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::UNSEEN;
use super::chart::Stroke;
use super::drops::{Curve, THRESHOLD, curve, figure, line, rise};
use super::estimate::{Direction, Estimate};
use super::observe::{Observed, Text};
use super::report::{Finding, Section, Verdict, percent, write_json};
use crate::export::Effort;
use crate::site_model::SiteModel;

/// The model before tuning and the one after.
pub const BEFORE: &str = "default";
pub const AFTER: &str = "instruct";

/// One model at its trained capacity.
#[derive(Serialize)]
pub struct Tuned {
    pub model: String,
    tokens: usize,
    /// Instructions, then all other text.
    curves: Vec<Curve>,
    /// `[windows]`
    #[serde(skip)]
    rises: Vec<f64>,
    /// `[windows]`: is it one of instructions?
    #[serde(skip)]
    of_instructions: Vec<bool>,
}

pub fn measure(model: &str, observed: &Observed, text: &Text, factor: f32) -> Tuned {
    let of_instructions: Vec<bool> =
        text.domain_of_window.iter().map(|&domain| text.domains[domain] == UNSEEN).collect();
    let of = |wanted: bool, name: &str| {
        curve(observed, text, &|window| of_instructions[window] == wanted, name, "position", factor)
    };
    Tuned {
        model: model.to_owned(),
        tokens: text.num_all_tokens(),
        curves: vec![of(true, UNSEEN), of(false, "other text")],
        rises: (0..text.num_windows()).map(|window| rise(observed, window)).collect(),
        of_instructions,
    }
}

/// Did the tuned model begin with the very weights of the one that is here?
pub fn is_of_this_base(models: &Path) -> Result<bool> {
    let find = |name: &str| -> Result<Option<(SiteModel, Effort)>> {
        let folder = models.join(name);
        if !folder.exists() {
            return Ok(None);
        }
        let model = SiteModel::open(&folder)?;
        Ok(Effort::read(&model)?.map(|effort| (model, effort)))
    };
    match (find(BEFORE)?, find(AFTER)?) {
        (Some((before, effort)), Some((_, after))) => Ok(after.began_with(&before.manifest, &effort)),
        _ => Ok(true),
    }
}

/// How much more losses rise after tuning than before, window by window: the same windows, so that their differences do
/// not hide it.
fn change(before: &Tuned, after: &Tuned, of_instructions: bool) -> Estimate {
    let pairs = before.rises.iter().zip(&after.rises).zip(&before.of_instructions);
    let wanted = pairs.filter(|(_, instructions)| **instructions == of_instructions);
    Estimate::of(&wanted.map(|((before, after), _)| after - before).collect::<Vec<_>>())
}

pub fn section(models: &[Tuned], out: &Path) -> Result<Option<Section>> {
    let find = |name: &str| models.iter().find(|tuned| tuned.model == name);
    let (Some(before), Some(after)) = (find(BEFORE), find(AFTER)) else { return Ok(None) };
    let lines = before.curves.iter().chain(&after.curves).enumerate().map(|(at, curve)| {
        let (model, stroke) = if at < 2 { ("before", Stroke::Dashed(at)) } else { ("after", Stroke::Solid(at - 2)) };
        line(format!("{}, {model}", curve.domain), curve, stroke)
    });
    figure("Requests lost by position, before and after tuning on instructions".to_owned(), lines.collect())
        .write(&out.join("drops-tuning.svg"))?;
    write_json(&out.join("tuning.json"), &models)?;

    let finding = |claim, at: usize, published, figure| {
        let (change, before, after) = (change(before, after, at == 0), &before.curves[at], &after.curves[at]);
        let direction = change.direction(THRESHOLD);
        let moved = match direction {
            Direction::Up => "grows",
            Direction::Down => "shrinks",
            Direction::Flat => "does not change beyond chance and threshold",
        };
        Finding {
            claim,
            verdict: Verdict::of(direction == Direction::Up),
            found: format!(
                "In {} the rise of losses from the first to the last quarter {moved}: {} before tuning, {} \
                after, a difference of {} on the same windows; in the last quarter {} and {} are lost.",
                after.domain,
                before.towards_the_end.in_points(),
                after.towards_the_end.in_points(),
                change.in_points(),
                percent(before.lost_by_quarter[3]),
                percent(after.lost_by_quarter[3]),
            ),
            published,
            figure,
        }
    };
    let findings = vec![
        finding(
            "Tuning on instructions makes losses at the end of instructions worse",
            0,
            "MT-Bench, last 256 of 2048 positions: 19.4 % before and 19.2 % after tuning; 0.7 % and 2.3 % at \
            1280 to 1535 (OpenMoE, figure 12b, read off the curves). Tuning did not mend it.",
            Some("drops-tuning.svg"),
        ),
        finding("Tuning on instructions makes losses at the end of other text worse", 1, "none.", None),
    ];
    let method = format!(
        "{AFTER} is {BEFORE} after further training on instructions, with the text it knew mixed in. Both at the capacity they were \
        trained with, over the same {} tokens; ± is two standard errors over windows; a change counts from \
        {:.0} point on.",
        before.tokens,
        100.0 * THRESHOLD,
    );
    Ok(Some(Section {
        title: "After tuning on instructions",
        method,
        findings,
        notes: Vec::new(),
        data: "tuning.json",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_taken_window_by_window() {
        let tuned = |rises: [f64; 4]| Tuned {
            model: String::new(),
            tokens: 0,
            curves: Vec::new(),
            rises: rises.to_vec(),
            of_instructions: vec![false, true, true, false],
        };
        let (before, after) = (tuned([0.1, 0.2, 0.6, 0.1]), tuned([0.1, 0.3, 0.7, 0.0]));
        // Windows 1 and 2: both 0.1 more, without spread although the windows differ much.
        let found = change(&before, &after, true);
        assert!((found.mean - 0.1).abs() < 1e-12 && found.standard_error < 1e-12);
        assert_eq!(found.direction(THRESHOLD), Direction::Up);
        // Windows 0 and 3: 0 and -0.1, mean -0.05 with an error as large.
        assert_eq!(change(&before, &after, false).direction(THRESHOLD), Direction::Flat);
    }
}
