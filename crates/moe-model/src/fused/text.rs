//! A text that is routed as one group and grows, or is run again with something changed: only tokens about which
//! anything may be another are computed.

use moe_router::{Router, rules};

use super::known::Known;
use super::step::{StepInput, StepOutput};
use super::{Fused, Group, Passed};
use crate::read_back::TensorError;
use crate::routing_inputs::RoutingInputs;

/// How much of a text is computed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Extent {
    /// The tokens that may have changed since the text before.
    #[default]
    Needed,
    /// All tokens, every time.
    Whole,
    /// Both, and it is an error if they differ: decisions in anything, numbers by more than
    /// `tolerance · max(1, |number|)`.
    Compared { tolerance: f32 },
}

impl Fused {
    /// Sets how much of a text [`Fused::forward_text`] computes.
    pub fn set_extent(&mut self, extent: Extent) {
        self.extent = extent;
    }

    /// Runs a whole text, whose tokens share capacity, and gives the numbers of all its tokens. What is known from the
    /// text before and still holds is not computed again.
    ///
    /// `draws`: chance for every layer and at least as many positions as the text has; or empty.
    pub async fn forward_text(
        &mut self,
        ids: &[u32],
        draws: &[RoutingInputs],
        router: &Router,
    ) -> Result<StepOutput, TensorError> {
        // Draws that nobody looks at are no reason to compute anything.
        let by_chance = rules::uses_chance(router.spec());
        let inputs = draws.iter().map(|draws| match by_chance {
            true => draws.at(0..ids.len(), ids),
            false => draws.without_chance().at(0..ids.len(), ids),
        });
        let inputs: Vec<RoutingInputs> = inputs.collect();
        let whole = StepInput { ids, first_position: 0, inputs: &inputs };
        if self.extent == Extent::Whole || rules::looks_ahead(router.spec()) {
            return self.forward(&whole, router).await;
        }
        let output = self.continue_text(&whole, router).await?;
        if let Extent::Compared { tolerance } = self.extent {
            // The same numbers go into the cache once more, or this is an error anyway.
            let known = self.known.take();
            let expected = self.forward(&whole, router).await?;
            if let Some(difference) = output.difference(&expected, tolerance) {
                let (computed, all) = (output.num_computed, ids.len());
                return Err(TensorError(format!("{computed} of {all} tokens were computed, and {difference}")));
            }
            self.known = known;
        }
        Ok(output)
    }

    async fn continue_text(&mut self, text: &StepInput<'_>, router: &Router) -> Result<StepOutput, TensorError> {
        // Taken out, so that a pass that fails or is given up leaves nothing to rely on.
        let known = self.known.take();
        let num_valid = known.as_ref().map_or(0, |known| known.num_valid(text.ids, text.inputs, router));
        let (mut layers, mut losses, mut logits) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(mut known) = known.filter(|_| num_valid > 0) {
            known.keep(num_valid, text.ids);
            (layers, losses, logits) = (known.layers, known.losses, known.logits);
        }
        let num_computed = text.ids.len() - num_valid;
        if num_computed > 0 {
            let step = StepInput { ids: &text.ids[num_valid..], first_position: num_valid, inputs: text.inputs };
            let passed = self.pass(&step, Group::One(layers), router).await?;
            losses.extend(passed.losses);
            (layers, logits) = (passed.layers, passed.logits);
        }
        let passed = Passed { layers, capacity: router.capacity(text.ids.len()), losses, logits };
        let output = passed.output(num_computed)?;
        let Passed { layers, capacity, losses, logits } = passed;
        let (ids, inputs, rule) = (text.ids.to_vec(), text.inputs.to_vec(), router.spec().router);
        self.known = Some(Known { ids, inputs, rule, capacity, layers, losses, logits });
        Ok(output)
    }
}
