//! The webhook as the receiver sees it: the body, its id, its signature and its headers, and what makes an endpoint valid.
//!
//! Everything here is a pure function: the same input always gives the same bytes, so a message can be frozen once and shown, hashed and
//! signed later with the same content. Nothing is stored here, so a crash leaves nothing behind.

mod delivery_id;
mod endpoint;
mod payload;
mod request;
mod signature;
mod url;

pub(crate) use delivery_id::{delivery_id, install, is_delivery_id};
pub use endpoint::EndpointError;
pub(crate) use endpoint::validate;
pub use payload::payload;
pub(crate) use payload::{MAX_BODY, WARN_BODY, holds, size_of_field, size_without_fields};
pub(crate) use request::{Message, RequestError, header_secret_names, headers, secret_names};
pub(crate) use url::origin;
