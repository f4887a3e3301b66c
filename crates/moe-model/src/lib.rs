//! The transformer: tokens in, logits and a routing trace out.
