//! Findings: what the literature says of routing, tried on the reader's own text, beside what was measured of the shipped
//! model.

mod claims;

use yew::prelude::*;

use crate::run::findings::{Findings, Verdict};
use crate::settings::view::PanelName;
use crate::state::background::Purpose;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::comparison_bar::comparison_bar;
use crate::views::parts::table::table;
use crate::words::tongue;
use claims::{Claim, claims};

pub static PANEL: Panel = Panel {
    name: PanelName::Findings,
    kind: marked!("Findings"),
    area: "row",
    tab: Tab::Own(marked!("Findings")),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |input| {
        let is_none = input.comparisons.findings.is_none();
        is_none.then_some(marked!("No run has come to its end yet, and findings are tried on whole runs"))
    },
    topic: |_| tongue::translated(PANEL.kind).into_owned(),
    finding: |input| input.comparisons.findings.as_deref().map_or_else(String::new, |it| finding(input, it)),
    badges: |_| Html::default(),
    picture: |input| input.comparisons.findings.as_deref().map_or_else(Html::default, |it| picture(input, it)),
    table: Some(|input| input.comparisons.findings.as_deref().map_or_else(Html::default, |it| as_table(input, it))),
};

fn claims_of(input: &PanelInput, findings: &Findings) -> Vec<Claim> {
    claims(findings, input.comparisons.then.moments.as_deref())
}

fn finding(input: &PanelInput, findings: &Findings) -> String {
    let claims = claims_of(input, findings);
    let number = |verdict: Verdict| claims.iter().filter(|it| it.verdict == verdict).count();
    let tokens = many!(findings.sample.num_tokens(), "{n} token", "{n} tokens");
    let (holds, fails, all) = (number(Verdict::Holds), number(Verdict::DoesNotHold), claims.len());
    match (number(Verdict::NotTried), number(Verdict::NotDecided)) {
        (left, _) if left == all => {
            say!("{all} findings to try on this text; {tokens} were read so far", all, tokens)
        }
        (0, 0) => {
            say!("Of {all} findings tried on {tokens}, {holds} hold here and {fails} not", all, tokens, holds, fails,)
        }
        (0, open) => say!(
            "Of {all} findings tried on {tokens}, {holds} hold here and {fails} not, {open} not decided",
            all,
            tokens,
            holds,
            fails,
            open,
        ),
        (left, 0) => say!(
            "On {tokens} {holds} findings hold here and {fails} not; {left} still to be tried",
            tokens,
            holds,
            fails,
            left,
        ),
        (left, open) => say!(
            "On {tokens} {holds} findings hold here and {fails} not, {open} not decided; {left} still to be tried",
            tokens,
            holds,
            fails,
            open,
            left,
        ),
    }
}

fn picture(input: &PanelInput, findings: &Findings) -> Html {
    let progress = input.comparisons.findings_progress.as_ref();
    let start = matches!(findings.along, Ok(None)).then(|| say!("Run the text in order and by lot"));
    let more = input.comparisons.more_text_progress.as_ref();
    let is_read = more.is_some_and(|it| !it.is_under_way() && it.end.is_none());
    let longer = (!is_read).then(|| say!("Run longer texts"));
    html! {
        <div class="findings">
            { comparison_bar(input, Purpose::MoreText, longer.as_deref(), more) }
            { comparison_bar(input, Purpose::Findings, start.as_deref(), progress) }
            <ul class="findings-list">{ for claims_of(input, findings).into_iter().map(entry) }</ul>
            <p class="fine">
                { say!("The thresholds are those of docs/FINDINGS.md, which has every number with its data. The recorded figures are of \
                   other text than yours, and more of it.") }
            </p>
        </div>
    }
}

fn entry(claim: Claim) -> Html {
    html! {
        <li>
            <h3>{ claim.claim.clone() }<span class={classes!("verdict", is_clear(claim.verdict).then_some("is-clear"))}>{ claim.verdict_words() }</span></h3>
            <p><b>{ say!("Here:") }{ " " }</b>{ claim.here }</p>
            <p><b>{ say!("Recorded:") }{ " " }</b>{ claim.recorded }</p>
        </li>
    }
}

fn is_clear(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Holds | Verdict::DoesNotHold)
}

fn as_table(input: &PanelInput, findings: &Findings) -> Html {
    let rows = claims_of(input, findings).into_iter().map(|claim| {
        vec![claim.claim.to_string(), claim.verdict_words().into_owned(), claim.here.clone(), claim.recorded]
    });
    let head = [say!("claim"), say!("here"), say!("numbers here"), say!("recorded of the shipped model")];
    table(&say!("Findings, tried on this text"), &head.each_ref().map(|name| &**name), rows)
}
