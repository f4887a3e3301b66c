//! Promises that may never settle: waited for, but not for ever.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;

use crate::scope;

/// What `work` gives, if it gives it within so many milliseconds. Late answers are dropped.
pub async fn within<T>(ms: i32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut alarm = JsFuture::from(after(ms));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Pin::new(&mut alarm).poll(context).map(|_| None),
    })
    .await
}

fn after(ms: i32) -> Promise {
    Promise::new(&mut |resolve, _| {
        // Without a timer nothing is late: the promise stays open.
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    })
}
