//! Writes the Kotlin, Swift or Python side of `compass-ffi`; `uniffi/generate` calls it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
