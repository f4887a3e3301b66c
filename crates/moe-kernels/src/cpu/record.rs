//! Twin of `shaders/record.wgsl`: copies the end of one buffer into the step's record.

use crate::params::RecordParams;

/// Copies `len` numbers from `source_offset` of `source` to `record_offset` of `record`.
pub fn record(source: &[f32], params: RecordParams, record: &mut [f32]) {
    let RecordParams { source_offset, record_offset, len } = params;
    let (from, to, len) = (source_offset as usize, record_offset as usize, len as usize);
    record[to..to + len].copy_from_slice(&source[from..from + len]);
}
