//! Columns of a step that have a row per token: cut, put together, and compared bit for bit.

use crate::choices::Choices;
use crate::gate_logits::GateLogits;
use crate::routing::Assignment;
use crate::scores::Scores;
use crate::token::TracedToken;

/// A column with rows. Two are alike if the rows of one could go on with those of the other.
pub(crate) trait Rows: Sized {
    fn num_rows(&self) -> usize;

    fn is_alike(&self, other: &Self) -> bool;

    /// The rows from here on.
    fn rows_from(&self, first: usize) -> Self;

    /// The first rows of this column, then those of another; `None` where they are not alike or there are too few.
    fn first_rows(&self, num_rows: usize, then: &Self) -> Option<Self>;

    /// The rows that two alike columns begin with, bit for bit.
    fn num_same(&self, other: &Self) -> usize;
}

/// Are two values the same to the bit? Two zeros of different sign are not.
pub(crate) trait SameBits: Clone {
    fn is_same(&self, other: &Self) -> bool;
}

impl SameBits for f32 {
    fn is_same(&self, other: &f32) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl SameBits for Option<f32> {
    fn is_same(&self, other: &Option<f32>) -> bool {
        self.map(f32::to_bits) == other.map(f32::to_bits)
    }
}

impl SameBits for u32 {
    fn is_same(&self, other: &u32) -> bool {
        self == other
    }
}

impl SameBits for TracedToken {
    fn is_same(&self, other: &TracedToken) -> bool {
        self == other && self.loss.is_same(&other.loss)
    }
}

impl SameBits for Assignment {
    fn is_same(&self, other: &Assignment) -> bool {
        self == other && self.weight.is_same(&other.weight) && self.weight_raw.is_same(&other.weight_raw)
    }
}

/// Cells that two tables begin with.
fn num_same_cells<T>(one: &[T], other: &[T], is_same: impl Fn(&T, &T) -> bool) -> usize {
    one.iter().zip(other).take_while(|(a, b)| is_same(a, b)).count()
}

impl<T: SameBits> Rows for Vec<T> {
    fn num_rows(&self) -> usize {
        self.len()
    }

    fn is_alike(&self, _: &Vec<T>) -> bool {
        true
    }

    fn rows_from(&self, first: usize) -> Vec<T> {
        self[first..].to_vec()
    }

    fn first_rows(&self, num_rows: usize, then: &Vec<T>) -> Option<Vec<T>> {
        Some([self.get(..num_rows)?, then.as_slice()].concat())
    }

    fn num_same(&self, other: &Vec<T>) -> usize {
        num_same_cells(self, other, T::is_same)
    }
}

/// Of a matrix with this many columns: what [`Rows`] wants, cell by cell.
macro_rules! matrix {
    ($name:ty, $new:expr) => {
        impl Rows for $name {
            fn num_rows(&self) -> usize {
                self.values().len() / self.num_experts()
            }

            fn is_alike(&self, other: &Self) -> bool {
                self.num_experts() == other.num_experts()
            }

            fn rows_from(&self, first: usize) -> Self {
                let values = self.values()[first * self.num_experts()..].to_vec();
                $new(self.num_experts(), values).expect("rows of a matrix are a matrix")
            }

            fn first_rows(&self, num_rows: usize, then: &Self) -> Option<Self> {
                let first = self.values().get(..num_rows * self.num_experts())?;
                let new = || $new(self.num_experts(), [first, then.values()].concat()).ok();
                self.is_alike(then).then(new).flatten()
            }

            fn num_same(&self, other: &Self) -> usize {
                num_same_cells(self.values(), other.values(), SameBits::is_same) / self.num_experts()
            }
        }
    };
}

matrix!(GateLogits, GateLogits::new);
matrix!(Scores, |num_experts: usize, values| Scores::new(num_experts as u32, values));

impl Rows for Choices {
    fn num_rows(&self) -> usize {
        Choices::num_rows(self)
    }

    fn is_alike(&self, other: &Choices) -> bool {
        let columns = |choices: &Choices| (choices.weights().is_some(), choices.served().is_some());
        (self.num_experts(), self.top_k()) == (other.num_experts(), other.top_k()) && columns(self) == columns(other)
    }

    fn rows_from(&self, first: usize) -> Choices {
        let first = first * self.top_k();
        self.with_cells(
            self.expert_ids()[first..].to_vec(),
            self.weights().map(|weights| weights[first..].to_vec()),
            self.served().map(|served| served[first..].to_vec()),
        )
    }

    fn first_rows(&self, num_rows: usize, then: &Choices) -> Option<Choices> {
        let end = num_rows * self.top_k();
        if !self.is_alike(then) || end > self.expert_ids().len() {
            return None;
        }
        Some(self.with_cells(
            [&self.expert_ids()[..end], then.expert_ids()].concat(),
            self.weights().zip(then.weights()).map(|(first, then)| [&first[..end], then].concat()),
            self.served().zip(then.served()).map(|(first, then)| [&first[..end], then].concat()),
        ))
    }

    fn num_same(&self, other: &Choices) -> usize {
        let mut cells = num_same_cells(self.expert_ids(), other.expert_ids(), i32::eq);
        if let Some((one, other)) = self.weights().zip(other.weights()) {
            cells = cells.min(num_same_cells(one, other, SameBits::is_same));
        }
        if let Some((one, other)) = self.served().zip(other.served()) {
            cells = cells.min(num_same_cells(one, other, PartialEq::eq));
        }
        cells / self.top_k()
    }
}
