//! What multiplying by 8-bit matrices changes: every shipped model's bits per byte and routes beside the same file in f32.
//!
//! The texts are this project's own documents, which no model was trained on, in pieces of 250 bytes; nobody is turned
//! away, so a changed route changes no other token's slot. Both read the same 8-bit weights, so the difference is what
//! rounding activations to 16 bits costs.

use std::collections::BTreeSet;
use std::f64::consts::LN_2;
use std::fs;

use moe_bench::{ROOT, engine_of, first_step, request};
use moe_engine::{Arithmetic, device};
use moe_trace::{Overflow, RoutingGroup, RoutingSpec, RunRequest, StepTrace};

const DOCUMENTS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/FINDINGS.md", "docs/EMBEDDING.md"];

const PIECE_BYTES: usize = 250;

fn main() {
    let pieces: Vec<String> = DOCUMENTS.iter().flat_map(|document| pieces(document)).collect();
    println!(
        "| model | tokens | bits per byte, f32 | more with 8-bit matrices | (token, layer) pairs with other experts |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    let folders = fs::read_dir(format!("{ROOT}www/site/models")).expect("the repository has models").flatten();
    let folders = folders.filter(|folder| folder.path().join("manifest.json").exists());
    let names: BTreeSet<String> = folders.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    for name in names {
        let mut in_f32 = engine_of(&name, &Arithmetic::F32(device::cpu()));
        let mut in_8_bits = engine_of(&name, &Arithmetic::Int8);
        let (mut expected, mut found) = (Cost::default(), Cost::default());
        let (mut routes, mut changed) = (0, 0);
        for piece in &pieces {
            let plain = request(&in_f32, piece, 0, RoutingGroup::ThisText);
            let routing = RoutingSpec { overflow: Overflow::Dropless, ..plain.routing };
            let request = RunRequest { routing, ..plain };
            // A model's own rule may be one that cannot be run live.
            let Some(right) = first_step(&mut in_f32, &request) else { continue };
            let step = first_step(&mut in_8_bits, &request).expect("what runs in f32 runs with 8-bit matrices");
            expected.add(&right);
            found.add(&step);
            let pairs = experts(&right).into_iter().zip(experts(&step));
            let same: Vec<bool> = pairs.map(|(right, found)| right == found).collect();
            routes += same.len();
            changed += same.iter().filter(|same| !**same).count();
        }
        println!(
            "| `{name}` | {} | {:.4} | {:+.6} | {changed} of {routes}: {:.4} % |",
            expected.tokens,
            expected.bits_per_byte(),
            found.bits_per_byte() - expected.bits_per_byte(),
            100.0 * changed as f64 / routes.max(1) as f64,
        );
    }
}

/// A document in pieces that end between words.
fn pieces(document: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("{ROOT}{document}")).expect("the repository has the document");
    let mut pieces = vec![String::new()];
    for word in text.split_inclusive(char::is_whitespace) {
        if pieces.last().is_some_and(|piece| piece.len() + word.len() > PIECE_BYTES) {
            pieces.push(String::new());
        }
        pieces.last_mut().expect("there is one").push_str(word);
    }
    pieces
}

/// What tokens cost, as far as their cost is known.
#[derive(Default)]
struct Cost {
    tokens: usize,
    nats: f64,
    bytes: usize,
}

impl Cost {
    fn add(&mut self, step: &StepTrace) {
        for token in &step.tokens {
            let Some(loss) = token.loss else { continue };
            self.tokens += 1;
            self.nats += f64::from(loss);
            self.bytes += token.bytes().len();
        }
    }

    fn bits_per_byte(&self) -> f64 {
        self.nats / LN_2 / self.bytes as f64
    }
}

/// The experts of each token in each layer, by their numbers.
fn experts(step: &StepTrace) -> Vec<BTreeSet<u32>> {
    let routings = step.layers.iter().filter_map(|layer| layer.routing());
    routings
        .flat_map(|routing| {
            let of_token = |token| routing.of_token(token).iter().map(|a| a.expert.0).collect();
            (0..routing.num_tokens).map(of_token).collect::<Vec<BTreeSet<u32>>>()
        })
        .collect()
}
