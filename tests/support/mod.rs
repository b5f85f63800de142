//! What the suites share.

// Each suite uses its part.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod app;
pub mod certs;
pub mod field;
pub mod nowhere;
pub mod server;
mod stream;
pub mod workflows;

pub use app::App;
pub use certs::{Identity, TestCa};
pub use nowhere::{BlackHole, refused_url};
pub use server::{Greeting, Head, Reply, Response, SeenRequest, TestServer, TestServerBuilder};
