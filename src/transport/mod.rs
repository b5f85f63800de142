//! The built-in transport: HTTP/1.1 over TLS with ureq and rustls.
//!
//! Guarantees, each tested:
//!
//! - One call of [`send`](crate::port::Transport::send) makes at most one request. Redirects are not followed, nothing is retried, and every
//!   status line, with any number, is an answer.
//! - The attempt ends within its timeout, however slowly the other side reads or answers; a failure has its phase, and whether bytes of the
//!   request may have been sent.
//! - No thread is started per request. Look-ups and new connections run on a few threads that start when needed and end when idle; a request
//!   on a pooled connection uses none of them.
//! - The addresses of a host are raced (RFC 8305): one that does not work costs a quarter of a second once, and then nothing.
//! - After `renew` no earlier connection and no earlier address is used; running requests continue.
//! - `cancel` ends an attempt in every phase, at once.
//! - Nothing after the status line turns an answer into a failure: at most 4 KiB of body are read, best effort, and headers may be many
//!   or unusual. Only a head above 32 KiB is not read.
//! - A success counts only when the whole request was written before; a refusal counts at any time, and ends the request.
//! - Certificates are always verified, against the bundled roots and the extra ones together.
//! - No proxy is used, not even one named by the environment: a request carries a customer's data, and goes only where the endpoint says. A
//!   device that must use a proxy uses the platform's transport.
//!
//! ureq's own log lines only show a URL's origin, except at level `trace`, where they show whole URLs and the heads of answers: an app should
//! not collect that level from it.
//!
//! Nothing here is stored: after a crash there is nothing to repair, and requests that were in flight count as possibly delivered.

mod attempt;
mod built_in;
mod connection;
mod connector;
mod failure;
mod head;
mod options;
mod race;
mod resolver;
mod roots;
mod stream;

pub use built_in::BuiltIn;
pub use options::{BuiltInOptions, Timeouts, TransportSetupError};
