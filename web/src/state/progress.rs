//! How far engine and model have come, as one figure: a reader waits for both.

use moe_trace::Download;

/// What has arrived of both.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    engine: Option<Arrived>,
    model: Option<Arrived>,
    /// When the first report came and the latest one, and how many bytes had come with the first.
    times: Option<(Moment, Moment)>,
}

/// Bytes of a part that have arrived, of those that will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    pub loaded_bytes: u32,
    pub total_bytes: u32,
    pub from_cache: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Moment {
    at_ms: f32,
    loaded_bytes: u64,
}

/// What the page says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub loaded_bytes: u32,
    pub total_bytes: u32,
    /// Does what comes now come from the browser's cache?
    pub from_cache: bool,
    /// Where enough is known to say it.
    pub seconds_left: Option<u32>,
}

/// Before so much time has passed a rate says nothing.
const MIN_MEASURED_MS: f32 = 2_000.0;

impl Progress {
    pub fn hear(&mut self, part: Download, arrived: Arrived, at_ms: f32) {
        match part {
            Download::Engine => self.engine = Some(arrived),
            Download::Model => self.model = Some(arrived),
        }
        let now = Moment { at_ms, loaded_bytes: self.loaded() };
        let first = self.times.map_or(now, |(first, _)| first);
        self.times = Some((first, now));
    }

    /// `model_bytes`: how large the model will be, as far as the list of models says it.
    pub fn waiting(&self, model_bytes: Option<u32>) -> Waiting {
        let of = |part: Option<Arrived>| part.map_or(0, |part| u64::from(part.total_bytes));
        let model = if self.model.is_some() { of(self.model) } else { u64::from(model_bytes.unwrap_or(0)) };
        let (loaded, total) = (self.loaded(), of(self.engine) + model);
        let latest = self.model.or(self.engine);
        Waiting {
            loaded_bytes: u32::try_from(loaded).unwrap_or(u32::MAX),
            total_bytes: u32::try_from(total).unwrap_or(u32::MAX),
            from_cache: latest.is_some_and(|latest| latest.from_cache),
            seconds_left: self.seconds_left(total.saturating_sub(loaded)),
        }
    }

    fn loaded(&self) -> u64 {
        [self.engine, self.model].into_iter().flatten().map(|part| u64::from(part.loaded_bytes)).sum()
    }

    fn seconds_left(&self, left_bytes: u64) -> Option<u32> {
        let (first, now) = self.times?;
        let (ms, bytes) = (now.at_ms - first.at_ms, now.loaded_bytes.saturating_sub(first.loaded_bytes));
        let is_known = ms >= MIN_MEASURED_MS && bytes > 0;
        is_known.then(|| (left_bytes as f64 * f64::from(ms) / bytes as f64 / 1e3).ceil() as u32)
    }
}
