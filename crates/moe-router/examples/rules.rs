//! Prints the table of all rules as Markdown. `cargo xtask codegen` writes it to `docs/ROUTING_RULES.md`; the test below
//! fails when that file is stale.

use moe_router::rule::{Citation, Kind, Run};
use moe_router::rules;

const HEADER: &str = "\
<!-- Generated from the rules of crates/moe-router by `cargo xtask codegen`; change the rule's file there instead. -->

# Routing rules

Every rule of `moe-router`. **Causal**: what a token gets does not depend on later tokens; a rule that is not must not \
be believed in a language model's training loss. A capacity may look ahead in addition: where slots are given out by \
confidence, or all first choices before any second. **Family**: where the rule stands in the taxonomy of the survey by Cai \
et al. 2024 ([arXiv:2407.06204](https://arxiv.org/abs/2407.06204), section 4).

Texts name a rule in URLs and attributes. Every argument may be given as `key=value`, most also without the key, in \
this order; those in brackets may be left out.
";

fn main() {
    print!("{}", markdown());
}

fn markdown() -> String {
    let mut text = HEADER.to_owned();
    let parts = [
        (
            Kind::Assigns,
            "Rules that assign",
            "Tokens ask experts; `Router` runs the spec, unless it says below what is missing.",
        ),
        (Kind::Mixes, "Rules that mix", "Tokens are blended into slots, or experts into one; `Mixer` runs the spec."),
        (
            Kind::Scores,
            "Gates that score",
            "Gate logits come out, for a rule that assigns; DSelect-k has weights at once.",
        ),
    ];
    for (kind, title, what) in parts {
        text += &format!("\n## {title}\n\n{what}\n\n");
        text += "| rule | what it does | family | causal | looks at, besides gate logits | trained with | at inference | source |\n";
        text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
        for rule in rules::all().filter(|rule| rule.kind() == kind) {
            text += &format!(
                "| **{}** `{}` | {} | {} | {} | {} | {} | {} | {}{} |\n",
                rule.title,
                rule.name,
                rule.one_line,
                rule.family,
                if rule.is_causal() { "yes" } else { "no" },
                rule.needs,
                rule.trained_with,
                rule.at_inference,
                rule.citations().map(markdown_of).collect::<String>(),
                rule.equation.map(|place| format!(": {place}")).unwrap_or_default(),
            );
        }
    }
    text += "\n## In formulas\n\n`x` a token's hidden state, `z` its gate logits, `p` their softmax, `w` weights, `T` tokens, `E` experts; \
             `_` begins an index, `{…}/{…}` is a fraction.\n\n";
    for rule in rules::all() {
        let explained = rules::explained(rule);
        text += &format!("- **{}**: `{}`. {}\n", rule.title, explained.formula, explained.text);
    }
    text += "\n## Texts\n\n| rule | form | example |\n| --- | --- | --- |\n";
    for rule in rules::all() {
        if let Some(example) = rule.example() {
            let shown = rule.usage().replace('|', "\\|");
            text += &format!("| {} | `{shown}` | `{example}` |\n", rule.title);
        } else if let Run::InRust(run) = rule.run {
            let (needs, module, instead) = (rule.needs, run.module, run.instead);
            text += &format!("| {} | none: it needs {needs}; `{module}` | instead `{instead}` |\n", rule.title);
        }
    }
    text
}

fn markdown_of(piece: Citation<'_>) -> String {
    match piece {
        Citation::Text(text) => text.to_owned(),
        Citation::Arxiv(number) => format!("[arXiv:{number}](https://arxiv.org/abs/{number})"),
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn the_committed_table_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ROUTING_RULES.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == markdown(), "{path} is stale: run `cargo xtask codegen`");
    }
}
