//! What the suites share.

// Each suite uses its part.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod app;
pub mod certs;
pub mod facts;
pub mod failing;
pub mod field;
mod past_every_rule;
pub mod server;
mod stream;
pub mod torture;
pub mod unreachable;
pub mod workflows;
pub mod years;

pub use app::App;
pub use certs::{Identity, TestCa};
pub use past_every_rule::past_every_rule;
pub use server::{Greeting, Head, Reply, Response, SeenRequest, TestServer, TestServerBuilder};
pub use unreachable::{BlackHole, refused_url};
