//! What a task expects of the picture: `dropped == 2`, `demand(3) > 10`, `expert == busiest`.
//!
//! A condition compares a quantity of what stands on the screen with a number, a word, or another quantity. What the
//! quantities are at a moment, `run::observed` says.

mod reading;

use std::borrow::Cow;

use crate::settings::named::named;
use crate::words::numbers;

named! {
    /// What can be asked of the picture: of the step on the screen, the selected layer and the selected token.
    Measure {
        Step "step"
        Layer "layer"
        Token "token"
        Expert "expert"
        Tokens "tokens"
        Lost "lost"
        Dropped "dropped"
        AllLost "all-lost"
        AllDropped "all-dropped"
        Demand "demand"
        Load "load"
        Busiest "busiest"
        Idlest "idlest"
        MaxDemand "max-demand"
        MinDemand "min-demand"
        Capacity "capacity"
        CapacityFactor "capacity-factor"
        Chosen "chosen"
        Served "served"
        TurnedAway "turned-away"
        Gate "gate"
        MeanLoss "mean-loss"
        Policy "policy"
        Group "group"
        Model "model"
    }
}

/// What stands in the brackets behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    None,
    /// An expert, from 0.
    Expert,
    /// A choice of the token, from 1.
    Choice,
}

impl Measure {
    pub fn argument(self) -> Argument {
        match self {
            Measure::Demand | Measure::Load | Measure::Gate => Argument::Expert,
            Measure::Chosen => Argument::Choice,
            _ => Argument::None,
        }
    }

    /// Is it a word, such as the name of a policy?
    pub fn is_word(self) -> bool {
        matches!(self, Measure::Policy | Measure::Group | Measure::Model)
    }

    /// What it is, as a reader is told it. `index`: what stands in its brackets.
    fn says(self, index: usize) -> Cow<'static, str> {
        match self {
            Measure::Step => say!("the step"),
            Measure::Layer => say!("the layer"),
            Measure::Token => say!("the token"),
            Measure::Expert => say!("the selected expert"),
            Measure::Tokens => say!("the tokens of the text"),
            Measure::Lost => say!("the requests turned away in this layer"),
            Measure::Dropped => say!("the tokens dropped in this layer"),
            Measure::AllLost => say!("the requests turned away in all layers"),
            Measure::AllDropped => say!("the tokens dropped in all layers, each time counted"),
            Measure::Demand => say!("the requests to expert {index}", index).into(),
            Measure::Load => say!("the requests served by expert {index}", index).into(),
            Measure::Busiest => say!("the expert with the most requests in this layer"),
            Measure::Idlest => say!("the expert with the fewest requests in this layer"),
            Measure::MaxDemand => say!("the requests to the busiest expert"),
            Measure::MinDemand => say!("the requests to the idlest expert"),
            Measure::Capacity => say!("the slots of each expert"),
            Measure::CapacityFactor => say!("the capacity factor"),
            Measure::Chosen => say!("the expert that the token asks as choice {index}", index).into(),
            Measure::Served => say!("the requests of the token that were served"),
            Measure::TurnedAway => say!("the requests of the token that were turned away"),
            Measure::Gate => say!("what the gate gives expert {index}", index).into(),
            Measure::MeanLoss => say!("the mean loss"),
            Measure::Policy => say!("the policy"),
            Measure::Group => say!("the routing group"),
            Measure::Model => say!("the model"),
        }
    }
}

/// A measure with what stands in its brackets; 0 where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    pub measure: Measure,
    pub index: usize,
}

impl Quantity {
    pub fn says(self) -> Cow<'static, str> {
        self.measure.says(self.index)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// As they are written; a longer one before one that it begins with.
pub const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Is),
    ("!=", Comparison::IsNot),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

#[derive(Debug, Clone, PartialEq)]
pub enum Other {
    Number(f64),
    Word(String),
    Quantity(Quantity),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub quantity: Quantity,
    pub comparison: Comparison,
    pub other: Other,
}

/// What a quantity is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    Number(f64),
    Word(String),
}

/// Numbers that a slider or an f32 has made differ by less.
const ALIKE: f64 = 1e-4;

impl Comparison {
    fn holds(self, one: &Seen, other: &Seen) -> bool {
        let (is_same, is_below) = match (one, other) {
            (Seen::Number(one), Seen::Number(other)) => ((one - other).abs() < ALIKE, one < other),
            (Seen::Word(one), Seen::Word(other)) => (one == other, false),
            _ => return false,
        };
        match self {
            Comparison::Is => is_same,
            Comparison::IsNot => !is_same,
            Comparison::Below => is_below && !is_same,
            Comparison::AtMost => is_below || is_same,
            Comparison::Above => !is_below && !is_same,
            Comparison::AtLeast => !is_below || is_same,
        }
    }

    /// What a quantity should be, held against this value.
    fn wants(self, value: String) -> String {
        match self {
            Comparison::Is => value,
            Comparison::IsNot => say!("anything but {value}", value),
            Comparison::Below => say!("less than {value}", value),
            Comparison::AtMost => say!("at most {value}", value),
            Comparison::Above => say!("more than {value}", value),
            Comparison::AtLeast => say!("at least {value}", value),
        }
    }
}

impl Condition {
    /// `see` says what a quantity is now; `None` where there is no such thing to see, which meets no condition.
    pub fn holds(&self, see: impl Fn(Quantity) -> Option<Seen>) -> bool {
        let other = match &self.other {
            Other::Number(number) => Some(Seen::Number(*number)),
            Other::Word(word) => Some(Seen::Word(word.clone())),
            Other::Quantity(quantity) => see(*quantity),
        };
        see(self.quantity).zip(other).is_some_and(|(one, other)| self.comparison.holds(&one, &other))
    }

    /// What is the case and what was wanted, for a reader whose answer does not meet it.
    pub fn missed(&self, see: impl Fn(Quantity) -> Option<Seen>) -> String {
        let name = self.quantity.says();
        let wanted = match &self.other {
            Other::Number(number) => numbers::digits(*number),
            Other::Word(word) => word.clone(),
            Other::Quantity(quantity) => quantity.says().into_owned(),
        };
        let wanted = self.comparison.wants(wanted);
        match see(self.quantity) {
            None => say!("Not yet: {name} cannot be seen here; it should be {wanted}.", name, wanted),
            // It would give the answer away.
            Some(_) if matches!(self.other, Other::Quantity(_)) => {
                say!("Not yet: {name} should be {wanted}.", name, wanted)
            }
            Some(Seen::Number(number)) => {
                let value = numbers::digits(number);
                say!("Not yet: {name}: {value}; it should be {wanted}.", name, value, wanted)
            }
            Some(Seen::Word(value)) => say!("Not yet: {name}: {value}; it should be {wanted}.", name, value, wanted),
        }
    }

    /// All quantities that it looks at.
    pub fn quantities(&self) -> impl Iterator<Item = Quantity> {
        let other = match self.other {
            Other::Quantity(quantity) => Some(quantity),
            Other::Number(_) | Other::Word(_) => None,
        };
        [self.quantity].into_iter().chain(other)
    }
}
