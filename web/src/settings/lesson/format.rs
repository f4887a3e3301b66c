//! The keys of a lesson, one row each: the reader knows them by these rows, and the JSON Schema is generated from them.

/// The number that a lesson begins with. Another one means another format.
pub const VERSION: u32 = 1;

/// A lesson is a small file that strangers wrote.
pub mod limits {
    pub const FILE_BYTES: usize = 65_536;
    pub const STEPS: usize = 60;
    pub const SENTENCE_CHARS: usize = 400;
    pub const TITLE_CHARS: usize = 80;
    pub const HINTS: usize = 5;
    pub const CONDITIONS: usize = 6;
}

/// A key of a step.
pub struct Key {
    pub name: &'static str,
    pub shape: Shape,
    pub doc: &'static str,
}

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Sentence,
    /// A sentence, or several.
    Sentences(usize),
    /// A condition, or several.
    Conditions,
    /// An object of attributes.
    Attributes,
    /// The same, with the attributes of a place.
    AttributesAndPlace,
    Place,
    Controls,
    Predicted,
}

pub const KEYS: [Key; 10] = [
    Key { name: "say", shape: Shape::Sentence, doc: "The sentence of the step. Every step has one." },
    Key {
        name: "set",
        shape: Shape::Attributes,
        doc: "Attributes that are set when the step begins, as a tag would have them. What is not named stays.",
    },
    Key {
        name: "goto",
        shape: Shape::Place,
        doc: "Where to look: some of step, layer, token and expert, counted from 0; or \"overflow\", the first request \
              that was turned away.",
    },
    Key {
        name: "lock",
        shape: Shape::Controls,
        doc: "The controls that rest during this step, by the names that the attribute `controls` has.",
    },
    Key {
        name: "predict",
        shape: Shape::Predicted,
        doc: "What the reader draws before she sees it: requests per expert (demand), those that are served (load), or \
              what the gate gives each expert for the selected token (gate). All pictures are covered meanwhile.",
    },
    Key { name: "ask", shape: Shape::Sentence, doc: "A task that the reader does on the page. It needs `expect`." },
    Key {
        name: "expect",
        shape: Shape::Conditions,
        doc: "When the task is done: a condition on what stands on the screen, or a list of conditions that must all hold.",
    },
    Key {
        name: "hint",
        shape: Shape::Sentences(limits::HINTS),
        doc: "What is said after a wrong answer; of a list the next one each time.",
    },
    Key {
        name: "solution",
        shape: Shape::AttributesAndPlace,
        doc: "Attributes with which the task is done. A reader who has tried may ask to be shown.",
    },
    Key { name: "reveal", shape: Shape::Sentence, doc: "What is said once the task is done, or the guess was drawn." },
];

/// The attributes that a lesson may set. Where to look is said by `goto`; what else there is belongs to the tag.
pub const SETTABLE: [&str; 17] = [
    "depth",
    "model",
    "prompt",
    "seed",
    "max-tokens",
    "temperature",
    "sampling-top-k",
    "sampling-top-p",
    "capacity-factor",
    "policy",
    "router",
    "method",
    "interventions",
    "group",
    "lab-factor",
    "experiment",
    "microscope",
];

/// The attributes that say where to look.
pub const PLACE: [&str; 4] = ["step", "layer", "token", "expert"];
