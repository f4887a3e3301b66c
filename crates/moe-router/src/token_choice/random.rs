//! Random routing: the baseline that a learned gate must beat.
//!
//! `e = floor(u · E)`, weight 1, a fresh draw per token. Causal. No gate and nothing to train; inference keeps one seed, so
//! that the same text is routed alike. ([`super::thor`] draws for a whole step instead.)
//!
//! Six draws and four experts: 0.6224 · 4 = 2.49 is expert 2, 0.8901 · 4 = 3.56 is expert 3.
//!
//! ```
//! use moe_router::example::experts;
//! use moe_router::token_choice::random;
//!
//! let requests = random::requests(&[0.6224, 0.8901, 0.2158, 0.1209, 0.6412, 0.8719], 4);
//! assert_eq!(experts(&requests), [2, 3, 0, 0, 2, 3]);
//! assert!(requests.iter().all(|request| request.weight == 1.0));
//! ```

use crate::request::Request;

pub use super::thor::pair as thor_pair;

/// One request per token, weight 1. `uniforms`: `[tokens]`, draws in [0, 1).
pub fn requests(uniforms: &[f32], num_experts: usize) -> Vec<Request> {
    let experts = uniforms.iter().map(|&u| ((f64::from(u) * num_experts as f64) as usize).min(num_experts - 1));
    experts.enumerate().map(|(token, expert)| Request::new(token, 0, expert, 1.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_spread_over_the_experts() {
        let experts = crate::example::experts(&requests(&[0.0, 0.2499, 0.25, 0.99999994, 1.0], 4));
        assert_eq!(experts, [0, 0, 1, 3, 3]);
    }
}
