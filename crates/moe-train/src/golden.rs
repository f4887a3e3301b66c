//! Golden runs: real runs of the shipped model, recorded. The site shows the default one before the engine is ready;
//! tests check that every backend still computes them.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use moe_engine::Engine;
use moe_router::rules;
use moe_trace::prompts::EXAMPLES;
use moe_trace::{Event, Fate, RoutingGroup, RunId, RunRequest, Sampling, SentStep, Source, StepTrace, TraceHeader};

use crate::site_model::SiteModel;

#[derive(Args, Debug, Clone)]
pub struct GoldenArgs {
    /// Folder of the model.
    #[arg(long, default_value = "www/site/models/default")]
    pub model: PathBuf,
    /// The trace to write.
    #[arg(long, default_value = "www/site/traces/default.jsonl")]
    pub out: PathBuf,
    /// The text to continue.
    #[arg(long, default_value = EXAMPLES[0].prompt)]
    pub prompt: String,
    #[arg(long, default_value_t = 12)]
    pub new_tokens: u32,
    #[arg(long, default_value = "this-text")]
    pub group: RoutingGroup,
    /// Instead of recording, try each line of this file as a prompt and tell how many of its tokens lose an expert.
    #[arg(long)]
    pub try_prompts: Option<PathBuf>,
}

pub fn run(args: &GoldenArgs) -> Result<()> {
    let mut engine = SiteModel::open(&args.model)?.engine()?;
    let request = |prompt: &str, max_new_tokens| RunRequest {
        run: RunId(0),
        prompt: prompt.to_owned(),
        companions: Vec::new(),
        max_new_tokens,
        sampling: Sampling::Greedy,
        routing: engine.info().trained_routing,
        group: args.group,
        seed: 7,
        interventions: Vec::new(),
    };
    if let Some(file) = &args.try_prompts {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let requests: Vec<_> = text.lines().map(|line| request(line, 0)).collect();
        for request in requests {
            let steps = record(&mut engine, &request)?;
            println!("{:3}  {}", lost(&steps[0]), request.prompt);
        }
        return Ok(());
    }
    let request = request(&args.prompt, args.new_tokens);
    let steps = record(&mut engine, &request)?;
    let top_k = rules::facts(&request.routing.router).top_k(engine.info().num_experts);
    let header = TraceHeader::of_run(Source::Recorded, engine.info().clone(), request, top_k);
    let mut lines = vec![serde_json::to_string(&header)?];
    // A step tells what is new in it: a figure downloads a third.
    let mut previous = None;
    for step in &steps {
        let sent = previous.map_or_else(|| step.clone().into(), |previous| SentStep::after(previous, step));
        lines.push(serde_json::to_string(&sent)?);
        previous = Some(step);
    }
    if let Some(folder) = args.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&args.out, lines.join("\n") + "\n")?;
    println!("{} steps; {} assignments lost in the first", steps.len(), lost(&steps[0]));
    println!("{}", steps.last().map(text).unwrap_or_default());
    Ok(())
}

/// All steps of a run.
pub fn record(engine: &mut Engine, request: &RunRequest) -> Result<Vec<StepTrace>> {
    record_until(engine, request, |_| false)
}

/// The steps of a run, which is stopped after one that is said to be the last.
pub fn record_until(
    engine: &mut Engine,
    request: &RunRequest,
    is_last: impl Fn(&StepTrace) -> bool,
) -> Result<Vec<StepTrace>> {
    let start = Instant::now();
    let mut steps: Vec<StepTrace> = Vec::new();
    let mut broken = None;
    let stop = Cell::new(false);
    let emit = |event| {
        let Event::Step { trace, .. } = event else { return };
        match trace.expand(steps.last()) {
            Ok(step) => {
                stop.set(is_last(&step));
                steps.push(step);
            }
            Err(error) => {
                stop.set(true);
                broken = Some(error);
            }
        }
    };
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    pollster::block_on(engine.run(request, clock, emit, async || stop.get()))
        .map_err(|error| anyhow!("{}", error.error))?;
    broken.map_or(Ok(steps), |error| Err(error.into()))
}

/// The text of a step, prompt and continuation.
pub fn text(step: &StepTrace) -> String {
    let bytes: Vec<u8> = step.tokens.iter().flat_map(|token| token.bytes()).copied().collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Requests that were turned away, over all layers.
fn lost(step: &StepTrace) -> usize {
    let all = step.layers.iter().filter_map(|layer| layer.routing()).flat_map(|routing| &routing.assignments);
    all.filter(|a| a.fate == Fate::Lost).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use moe_engine::{Arithmetic, Extent};
    use moe_trace::TraceFile;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../www/site/");

    fn shipped() -> Engine {
        let model = SiteModel::open(Path::new(&format!("{FOLDER}models/default"))).expect("the shipped model");
        model.engine().expect("it loads")
    }

    fn recorded() -> TraceFile {
        let text = fs::read_to_string(format!("{FOLDER}traces/default.jsonl")).expect("the recorded run");
        TraceFile::from_lines(&text, serde_json::from_str, serde_json::from_str).expect("a trace file")
    }

    fn request_of(recorded: &TraceFile) -> RunRequest {
        recorded.header.request.clone().expect("a run of ours")
    }

    #[test]
    fn the_recorded_run_is_what_the_shipped_model_computes() {
        let recorded = recorded();
        let mut engine = shipped();
        // Of a step only a part is computed. What the whole text gives is the same in every bit.
        engine.set_extent(Extent::Compared { tolerance: 0.0 });
        assert_eq!(Some(engine.info()), recorded.header.model.as_ref(), "the run was recorded from another model");
        let steps = record(&mut engine, &request_of(&recorded)).expect("the run ends well");
        assert_eq!(steps.len(), recorded.steps.len());
        for (live, recorded) in steps.iter().zip(&recorded.steps) {
            assert_eq!(live.difference(recorded, 1e-4), None);
        }
    }

    /// Decisions exactly, numbers to what rounding activations to 16 bits leaves after four layers.
    #[test]
    fn the_recorded_run_is_what_the_shipped_model_decides_with_8_bit_matrices() {
        let recorded = recorded();
        let model = SiteModel::open(Path::new(&format!("{FOLDER}models/default"))).expect("the shipped model");
        let mut engine = model.engine_by(&Arithmetic::Int8).expect("it loads");
        engine.set_extent(Extent::Compared { tolerance: 0.0 });
        let steps = record(&mut engine, &request_of(&recorded)).expect("the run ends well");
        assert_eq!(steps.len(), recorded.steps.len());
        for (live, recorded) in steps.iter().zip(&recorded.steps) {
            assert_eq!(live.difference(recorded, 1e-3), None);
        }
    }

    #[test]
    fn every_rule_that_assigns_runs_on_the_shipped_model() {
        let mut engine = shipped();
        engine.set_extent(Extent::Compared { tolerance: 0.0 });
        let mut request = RunRequest { max_new_tokens: 4, ..request_of(&recorded()) };
        let mut num_rules = 0;
        for example in rules::all().filter_map(|rule| rule.example()) {
            let Ok(router) = rules::parse_router(example) else { continue };
            let facts = rules::facts(&router);
            request.routing.router = router;
            for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
                request.group = group;
                let needs_company = facts.looks_ahead && group == RoutingGroup::DecodeStep;
                if needs_company || !facts.besides.is_in_a_model() {
                    let refused = record(&mut engine, &request).expect_err(example);
                    assert!(refused.to_string().starts_with("This routing cannot be run"), "{refused}");
                    continue;
                }
                for step in record(&mut engine, &request).expect(example) {
                    for routing in step.layers.iter().filter_map(|layer| layer.routing()) {
                        let slots = routing.assignments.iter().filter_map(|a| a.fate.slot());
                        assert!(slots.max() < routing.capacity.or(Some(u32::MAX)), "{example}: more than its slots");
                    }
                }
            }
            num_rules += 1;
        }
        assert!(num_rules >= 24, "{num_rules}");
    }

    #[test]
    fn the_prompt_is_read_at_once_and_told_as_a_decode_step_for_every_token() {
        let mut engine = shipped();
        let request = RunRequest { max_new_tokens: 3, group: RoutingGroup::DecodeStep, ..request_of(&recorded()) };
        let steps = record(&mut engine, &request).expect("the run ends well");
        let prompt = RunRequest { max_new_tokens: 0, group: RoutingGroup::ThisText, ..request };
        let prompt = record(&mut engine, &prompt).expect("the run ends well").remove(0);
        assert_eq!(steps.len(), prompt.tokens.len() + 3);
        for (at, step) in steps.iter().enumerate() {
            assert_eq!((step.first_position() as usize, step.tokens.len()), (at, 1));
            if let Some(token) = prompt.tokens.get(at) {
                assert_eq!(step.tokens[0].id, token.id);
            }
            for routing in step.layers.iter().filter_map(|layer| layer.routing()) {
                assert_eq!((routing.num_tokens, routing.capacity), (1, Some(1)));
                assert!(routing.assignments.iter().all(|a| a.fate == Fate::Kept { slot: 0 }));
            }
        }
        for pair in steps.windows(2) {
            let chosen = pair[0].next().and_then(|next| next.chosen.as_ref()).expect("a token follows");
            let token = &pair[1].tokens[0];
            assert_eq!((token.id, token.loss), (Some(chosen.id), Some(-chosen.probability.ln())));
        }
    }

    #[test]
    fn exactly_one_token_of_the_default_prompt_finds_an_expert_full() {
        let recorded = recorded();
        assert_eq!(request_of(&recorded).prompt, EXAMPLES[0].prompt);
        assert_eq!((lost(&recorded.steps[0]), EXAMPLES[0].lost), (1, 1));
    }

    #[test]
    fn of_every_example_as_many_requests_are_lost_as_it_says() {
        let mut engine = shipped();
        let request = RunRequest { max_new_tokens: 0, ..request_of(&recorded()) };
        let found = EXAMPLES.map(|example| {
            let request = RunRequest { prompt: example.prompt.to_owned(), ..request.clone() };
            let steps = record(&mut engine, &request).expect(example.kind);
            (example.kind, lost(&steps[0]))
        });
        assert_eq!(found, EXAMPLES.map(|example| (example.kind, example.lost as usize)));
    }
}
