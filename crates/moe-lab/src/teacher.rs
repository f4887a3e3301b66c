//! Whom a training learns from while experts are distilled into one feed-forward.

use std::collections::BTreeMap;

use moe_learn::distil::{self, Distance, Stage, TEACHERS_SHARE};
use moe_learn::saved::{self, Saved};
use moe_learn::{Batch, Learner, Step};
use moe_model::checkpoint::CheckpointError;
use moe_model::checkpoint::exact::Numbers;
use moe_model::{Device, TensorError};
use moe_trace::UserError;
use moe_trace::training::{Distilling, Taught, TrainRequest, TrainedRule, TrainedSizes};
use serde::{Deserialize, Serialize};

use crate::request;

/// In a file, before the names of the teacher's tensors.
const PREFIX: &str = "teacher/";

/// The experts as they were, and how long they teach.
pub struct Teacher {
    learner: Learner,
    about: AboutTeacher,
}

/// What a file says of a teacher beside its weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AboutTeacher {
    model: TrainedSizes,
    rule: TrainedRule,
    plan: Distilling,
    /// The first step that it teaches.
    begins: u32,
    /// Held-out nats per token: its own, and of its merged experts.
    held_out: [f32; 2],
}

impl Teacher {
    /// `request`: the one that `learner` was made by. `held_out`: nats per token, its own and of its merged experts.
    pub fn new(
        learner: &Learner,
        request: &TrainRequest,
        plan: Distilling,
        begins: u32,
        held_out: [f32; 2],
    ) -> Teacher {
        let about = AboutTeacher { model: request.model, rule: request.rule, plan, begins, held_out };
        Teacher { learner: distil::teacher(learner), about }
    }

    /// One step of the student.
    pub async fn step(
        &self,
        student: &mut Learner,
        batch: &Batch,
        step: u32,
    ) -> Result<(Step, Option<Taught>), TensorError> {
        let done = step.saturating_sub(self.about.begins);
        let stage = match done < self.about.plan.layer_steps {
            true => Stage::Layers,
            false => Stage::Text { teachers_share: TEACHERS_SHARE },
        };
        let (seen, distance) = distil::step(student, &self.learner, batch, step as usize, stage).await?;
        let taught = match distance {
            Distance::Layers(errors) => Taught::Layers(errors),
            Distance::Text(divergence) => Taught::Divergence(divergence),
        };
        Ok((seen, Some(taught)))
    }

    /// Held-out nats per token of the experts and of their mean, once it has taught all that was planned.
    pub fn is_done(&self, next_step: u32) -> Option<[f32; 2]> {
        let AboutTeacher { plan, begins, held_out, .. } = self.about;
        (next_step >= begins.saturating_add(plan.num_steps())).then_some(held_out)
    }

    /// Puts its weights among those of a file.
    pub async fn add_to(&self, tensors: &mut BTreeMap<String, Numbers>) -> Result<AboutTeacher, TensorError> {
        let own = saved::save(&self.learner).await?.tensors;
        tensors.extend(own.into_iter().map(|(name, numbers)| (format!("{PREFIX}{name}"), numbers)));
        Ok(self.about)
    }
}

impl AboutTeacher {
    /// The teacher of a file, whose weights are taken out of the file's. `request`: the student's.
    pub fn open(
        self,
        tensors: &mut BTreeMap<String, Numbers>,
        request: &TrainRequest,
        device: &Device,
    ) -> Result<Result<Teacher, CheckpointError>, UserError> {
        let AboutTeacher { model, rule, .. } = self;
        // It computes no loss.
        let request = TrainRequest { model, rule, losses: Vec::new(), upcycling: None, ..request.clone() };
        let mut learner = request::learner(&request, device)?;
        let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(PREFIX)).cloned().collect();
        let take = |name: String| Some((name[PREFIX.len()..].to_owned(), tensors.remove(&name)?));
        let own = Saved { tensors: names.into_iter().filter_map(take).collect(), moved: BTreeMap::new() };
        let restored = saved::restore(&mut learner, &own);
        Ok(restored.map(|()| Teacher { learner: distil::teacher(&learner), about: self }))
    }
}
