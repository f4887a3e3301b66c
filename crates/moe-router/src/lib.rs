//! Pure Mixture-of-Experts routing: gate logits in, decisions out.
