//! Auxiliary losses, unscaled: the caller multiplies by a coefficient and averages over groups and layers.
//!
//! These are numbers to show and to check a training graph against. Counts and choices carry no gradient; probabilities
//! do, on the graph. All are of one layer and one group of tokens, and leave padding out: where a routing is passed it
//! names the padding, else `is_padding` does, `[tokens]`, empty for none.
//!
//! One file per idea, each with the loss of the [running example](crate::example); everything can be named from here, too:
//! `losses::switch` is `losses::balance::switch`.

pub mod adaptive;
pub mod balance;
pub mod deepseek;
pub mod load;
pub mod localized;
pub mod mutual_information;
pub mod relu;
pub mod second_place;
pub mod spread;
pub mod z;

pub use adaptive::{adapted_coefficient, target_coefficient};
pub use balance::{BalanceScaling, gshard_paper, hf_topk, is_choice, per_choice, switch};
pub use deepseek::{DeviceBalance, bias_update, device_balance, sequence_scores};
pub use load::{expected_load, load_probs, load_probs_vmoe, normal_cdf};
pub use localized::{LocalizedBalance, localized_balance};
pub use mutual_information::{
    TokenInformation, mean_probs_by_task, task_information, token_information, token_information_terms,
};
pub use relu::{relu_l1, relu_l1_balanced, relu_l1_balanced_terms, relu_l1_terms};
pub use second_place::{second_place, second_place_terms};
pub use spread::{importance_of_probs, importance_of_weights, sums_of_probs, sums_of_weights};
pub use z::z_loss;

/// The rows of tokens that are no padding. `is_padding`: `[tokens]`, or empty for none.
fn real_rows<'a, T: 'a>(
    rows: impl Iterator<Item = &'a [T]> + Clone,
    is_padding: &'a [bool],
) -> impl Iterator<Item = &'a [T]> + Clone {
    let is_padding = move |token: usize| is_padding.get(token).copied().unwrap_or(false);
    rows.enumerate().filter(move |(token, _)| !is_padding(*token)).map(|(_, row)| row)
}
